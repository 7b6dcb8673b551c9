/* Selections on a run's pages. The address is the state: every click, control and step of the slider ends in select(),
   which writes it, and render() makes the page show it without asking the server.

   The files share window.pathscope: this one holds the address and what follows from it; selection_answers.js asks the
   server, selection_drawing.js shows what is selected, selection_input.js turns what the user does into selections, and
   selection_news.js is what Dash's clientside callbacks call. */
window.dash_clientside = window.dash_clientside || {};
(function () {
    "use strict";
    const page = {place: null, facts: null, followed: null};
    const REST_MS = 200;
    let wanted = null, writing = null, pushing = false;
    const byId = (id) => document.getElementById(id);
    const set = (id, props) => byId(id) && window.dash_clientside.set_props(id, props);

    /* ---- the address ---- */

    function parse(search) {
        const found = new URLSearchParams(search);
        const whole = (name) => (/^\d{1,9}$/.test(found.get(name) || "") ? Number(found.get(name)) : null);
        return {
            layer: whole("layer"), quantity: found.get("quantity") === "activation" ? "activation" : "path",
            image: whole("image"), partner: whole("partner"), t: whole("t"),
            sort: found.get("sort") === "value" ? "value" : "label",
            options: Object.fromEntries([...found].filter(([name]) => name.includes("."))),
        };
    }

    function searchOf(state) {
        const found = new URLSearchParams();
        if (state.layer) found.set("layer", state.layer);
        if (state.quantity !== "path") found.set("quantity", state.quantity);
        if (state.image !== null) found.set("image", state.image);
        if (state.partner !== null) found.set("partner", state.partner);
        if (state.t !== null) found.set("t", state.t);
        if (state.sort !== "label") found.set("sort", state.sort);
        for (const [name, value] of Object.entries(state.options)) if (value !== undefined) found.set(name, value);
        const text = found.toString();
        return text ? `?${text}` : "";
    }

    const state = () => wanted || parse(window.location.search);

    function write(path, search, replace) {
        forget();
        if (path === window.location.pathname && search === window.location.search) return;
        const scroll = path === window.location.pathname ? window.scrollY : 0;  // shell.js goes back to it
        window.history[replace ? "replaceState" : "pushState"]({scroll}, "", path + search);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    }

    /* Show a selection at once; the address follows when nothing has been selected for a while, as it keeps Dash busy for
       longer than most selections take to draw. Steps of the slider replace it, clicks are steps of the history. */
    function select(change, replace) {
        const next = {...state(), ...change};
        const search = searchOf(next), path = window.location.pathname;
        if (search === searchOf(state())) return;
        wanted = next;
        pushing = pushing || !replace;
        clearTimeout(writing);
        writing = setTimeout(() => (path === window.location.pathname ? write(path, search, !pushing) : forget()), REST_MS);
        window.pathscope.render();
    }

    function forget() {
        clearTimeout(writing);
        writing = wanted = null;
        pushing = false;
    }

    /* What `look` finds if this were selected. */
    function supposing(change, look) {
        const before = wanted;
        wanted = {...state(), ...change};
        try {
            return look();
        } finally {
            wanted = before;
        }
    }

    /* ---- what the address leaves open ---- */

    const newest = () => (page.facts ? Math.max(0, page.facts.epochs.length - 1) : 0);
    const recording = () => (state().t === null ? newest() : Math.min(state().t, newest()));

    function layer() {
        const layers = page.facts ? page.facts.layers.length : 0;
        const chosen = state().layer;
        return chosen && chosen <= layers ? chosen : Math.floor((layers + 1) / 2);
    }

    function quantity() {
        const recorded = page.facts.quantities, chosen = state().quantity;
        return recorded.includes(chosen) ? chosen : recorded[0];
    }

    function nearestAt(t) {
        const data = page.followed;
        if (!data || !data.recordings.length) return [];
        const place = data.recordings.indexOf(t);
        return data.nearest[place < 0 ? data.nearest.length - 1 : place].filter((image) => image >= 0);
    }

    function partner() {
        const chosen = state().partner;
        const images = page.facts ? page.facts.labels.length : 0;
        if (chosen !== null && chosen < images && page.place && chosen !== page.place.image) return chosen;
        const nearest = nearestAt(newest());
        return nearest.length ? nearest[0] : null;
    }

    /* Where the slider goes: at its end it follows what is yet to come. */
    const slide = (t) => select({t: t >= newest() ? null : Math.max(0, t)}, true);

    window.pathscope = {
        page, byId, set, state, write, searchOf, select, slide, forget, supposing, newest, recording, layer, quantity, nearestAt, partner,
    };
})();
