/* The compare page: its address, and which ticks concern it. */
(function () {
    "use strict";
    window.dash_clientside = window.dash_clientside || {};
    const NAMES = ["filter", "layer", "quantity", "measure", "statistic", "group", "error"];
    const DEFAULTS = {filter: "", layer: 1, quantity: "path", measure: "cross_path", statistic: "median", group: "", error: "gap"};
    const PAUSE = 2000;
    let shown = null, asked = 0, waiting = null;
    const nothing = () => window.dash_clientside.no_update;

    function parse(search) {
        const found = new URLSearchParams(search), choice = {runs: found.get("runs")};
        for (const name of NAMES) choice[name] = found.get(name) || DEFAULTS[name];
        choice.layer = /^\d{1,5}$/.test(choice.layer) ? Math.max(1, Number(choice.layer)) : 1;
        return choice;
    }

    function go(href) {
        window.history.pushState({}, "", href);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    }

    function cell(name, content) {
        const made = document.createElement(name), [text, href] = Array.isArray(content) ? content : [content, null];
        if (name === "th") made.scope = "col";
        if (href === null) made.textContent = text;
        else made.append(Object.assign(document.createElement("a"), {href, textContent: text}));
        return made;
    }

    function row(name, contents) {
        const made = document.createElement("tr");
        made.append(...contents.map((content) => cell(name, content)));
        return made;
    }

    /* heads, rows and a note as what stands in the place of a table. */
    function table({heads, rows, note}) {
        const made = document.createElement("table"), words = document.createElement("p");
        made.className = "plain-table";
        made.createTHead().append(row("th", heads));
        made.createTBody().append(...rows.map((contents) => row("td", contents)));
        Object.assign(words, {className: "dimmed", textContent: note});
        return [...(heads.length ? [made] : []), ...(note ? [words] : [])];
    }

    window.dash_clientside.compare = {
        /* compare-differing.data: the table of differences. */
        differing: function (differences) {
            const host = document.getElementById("compare-differences");
            if (host) host.replaceChildren(...(differences ? table(differences) : []));
            return nothing();
        },

        /* url.search -> compare-choice.data and the value of each control */
        read: function (search) {
            const choice = parse(search), values = NAMES.map((name) => choice[name]);
            shown = choice;
            return [choice, ...values];
        },

        /* Controls -> the address. A filter that is typed takes the place of runs that were named. */
        write: function (...values) {
            const next = {...shown};
            NAMES.forEach((name, n) => {
                const value = values[n];
                if (value !== null && value !== undefined && !(name === "layer" && value === "")) next[name] = value;
            });
            if (!shown || JSON.stringify(next) === JSON.stringify(shown)) return;
            if (next.filter !== shown.filter) next.runs = null;
            const found = new URLSearchParams();
            if (next.runs) found.set("runs", next.runs);
            for (const name of NAMES) if (String(next[name]) !== String(DEFAULTS[name])) found.set(name, next[name]);
            const text = found.toString();
            go(text ? `/compare?${text}` : "/compare");
        },

        /* A tick that concerns a run of the page makes it ask again, at most every two seconds. */
        tick: function (tick, runs) {
            const concerned = tick && runs && (tick.runs === null || tick.runs.some((id) => runs.includes(id)));
            if (!concerned || waiting !== null) return nothing();
            waiting = setTimeout(() => {
                waiting = null;
                asked = Date.now();
                if (document.getElementById("compare-overlay")) window.dash_clientside.set_props("compare-tick", {data: tick});
            }, Math.max(0, asked + PAUSE - Date.now()));
            return nothing();
        },

        /* A click on a dot opens its run. */
        open: function (click) {
            const href = click && click.points[0] && click.points[0].customdata;
            if (href) go(href);
            return nothing();
        },

        /* A figure has come: the table of its numbers, if it is open, is asked for again. */
        drawn: function () {
            const graph = document.getElementById(window.dash_clientside.callback_context.triggered_id);
            if (graph) graph.dispatchEvent(new CustomEvent("figure-drawn", {bubbles: true}));
        },
    };
})();
