/* The compare page: its address, and which ticks concern it. */
(function () {
    "use strict";
    window.dash_clientside = window.dash_clientside || {};
    const NAMES = ["filter", "layer", "quantity", "measure", "statistic", "group", "error", "field", "outcome"];
    const DEFAULTS = {filter: "", layer: "", quantity: "path", measure: "cross_path", statistic: "median", group: "", error: "gap", field: "", outcome: "test_accuracy"};
    const PAUSE = 2000;
    let shown = null, asked = 0, waiting = null;
    const nothing = () => window.dash_clientside.no_update;

    function parse(search) {
        const found = new URLSearchParams(search), choice = {runs: found.get("runs")};
        for (const name of NAMES) choice[name] = found.get(name) || DEFAULTS[name];
        choice.layer = /^[1-9]\d{0,4}$/.test(choice.layer) ? Number(choice.layer) : "";
        return choice;
    }

    function go(href) {
        window.history.pushState({}, "", href);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    }

    const SVG = "http://www.w3.org/2000/svg";
    const DASHES = {solid: "", dash: "8 5", dot: "2 3", dashdot: "8 3 2 3", longdash: "14 5"};

    /* A piece of the line that stands for a run or a group. */
    function swatch(colour, dash) {
        const made = document.createElementNS(SVG, "svg"), line = document.createElementNS(SVG, "line");
        const place = {x1: 0, x2: 30, y1: 6, y2: 6, stroke: colour, "stroke-width": 2.5, "stroke-dasharray": DASHES[dash] || ""};
        for (const [name, value] of Object.entries(place)) line.setAttribute(name, value);
        for (const [name, value] of Object.entries({class: "line-swatch", width: 30, height: 12, "aria-hidden": "true"})) made.setAttribute(name, value);
        made.append(line);
        return made;
    }

    function cell(name, content) {
        const made = document.createElement(name), [text, href, style] = Array.isArray(content) ? content : [content, null];
        if (name === "th") made.scope = "col";
        if (style) made.append(swatch(...style));
        made.append(href === null ? text : Object.assign(document.createElement("a"), {href, textContent: text}));
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
        made.className = "plain-table run-table";
        made.createTHead().append(row("th", heads));
        made.createTBody().append(...rows.map((contents) => row("td", contents)));
        Object.assign(words, {className: "dimmed", textContent: note});
        return [...(heads.length ? [made] : []), ...(note ? [words] : [])];
    }

    function toggle(button, group) {
        const plot = document.querySelector("#compare-overlay .js-plotly-plot");
        if (!plot) return;
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        const own = [...plot.data.keys()].filter((n) => plot.data[n].legendgroup === group);
        window.Plotly.restyle(plot, {visible: shown}, own);
    }

    window.dash_clientside.compare = {
        /* compare-differing.data: the table of differences. */
        differing: function (differences) {
            const host = document.getElementById("compare-differences");
            if (!host) return nothing();
            host.replaceChildren(...(differences ? table(differences) : []));
            const told = document.getElementById("compare-differences-wide"), more = host.scrollWidth > host.clientWidth + 1;
            if (told) told.textContent = more ? `${differences.heads.length} columns: scroll sideways for the others.` : "";
            return nothing();
        },

        /* compare-overlay.figure: the legend below the figure, whose buttons show and hide lines. */
        legend: function (figure) {
            const host = document.getElementById("compare-legend");
            if (!host) return nothing();
            const lines = ((figure && figure.data) || []).filter((trace) => trace.name && trace.showlegend);
            host.replaceChildren(...lines.map((trace) => {
                const button = document.createElement("button");
                button.append(swatch(trace.line.color, trace.line.dash), trace.name.replaceAll("&lt;", "<"));
                button.setAttribute("aria-pressed", "true");
                button.addEventListener("click", () => toggle(button, trace.legendgroup));
                return button;
            }));
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
                if (value !== null && value !== undefined) next[name] = value;
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
