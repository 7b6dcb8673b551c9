/* What Dash's clientside callbacks call: news from the server, and controls that the user has changed. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, set, state, select, layer, quantity, shown, render, stop} = view;

    /* Newer facts make the page ask for the neighbours again, and Dash drops the answer to a question that has been asked
       again. So facts change only when it has come for the last ones (or something went wrong). */
    const PATIENCE = 5000;
    let pending = null, since = 0, awaited = false;
    function adopt() {
        if (!pending || !page.place || pending.run !== page.place.run) return;
        const left = PATIENCE - (Date.now() - since);
        if (awaited && left > 0) {
            setTimeout(adopt, left + 10);
            return;
        }
        const facts = pending;
        pending = null;
        since = Date.now();
        awaited = document.getElementById("film-strip") !== null;
        window.dash_clientside.set_props("facts", {data: facts});
    }

    /* A page has just been built: its controls show what the address says, as far as the server knew it. */
    function enter(built) {
        stop();
        for (const name of Object.keys(shown)) delete shown[name];
        Object.assign(shown, {quantity: quantity(), sort: state().sort, layers: built, layer: built ? String(layer()) : undefined});
        Object.assign(page, {neighbours: null});
        asked = 0;
        pending = null;
        awaited = false;
    }

    const nothing = () => window.dash_clientside.no_update;
    let ticks = 0, asked = 0, again = false;
    function ask() {
        ticks += 1;
        asked = Date.now();
        again = false;
        return ticks;
    }

    window.dash_clientside.selection = {
        /* live.data, place -> run-tick.data */
        concerns: function (tick, place) {
            if (!tick || !place || (tick.runs !== null && !tick.runs.includes(place.run))) return nothing();
            if (Date.now() - asked < PATIENCE) {
                again = true;
                return nothing();
            }
            return ask();
        },

        /* The server has answered the last tick: pass on what has come in since. */
        answered: function () {
            asked = 0;
            if (again) window.dash_clientside.set_props("run-tick", {data: ask()});
        },

        /* theme.data -> run-theme.data */
        theme: function (theme) {
            setTimeout(render);
            return theme;
        },

        /* facts.data, place -> recordings-known.data: what is known of the run, and where we are. */
        learn: function (facts, place) {
            const moved = page.place !== place, built = facts.layers.length > 0;
            Object.assign(page, {facts, place});
            if (moved) enter(built);
            if (built && !shown.layers) {
                shown.layers = true;
                shown.layer = String(layer());
                set("layer", {data: facts.layers.map(({value, label}) => ({value, label})), value: String(layer())});
            }
            render();
            return facts.epochs.length;
        },

        /* run-news.data: facts that are newer than ours. */
        news: function (facts) {
            if (!facts) return;
            pending = facts;
            adopt();
        },

        /* neighbours.data of the image page. */
        neighbours: function (neighbours) {
            page.neighbours = neighbours;
            view.filmStrip();
            awaited = false;
            adopt();
            render();
        },

        chosen_layer: function (layerValue, quantityValue) {
            if (layerValue === null || layerValue === undefined || !page.facts) return;
            if (shown.layer === layerValue && shown.quantity === quantityValue) return;
            shown.layer = layerValue;
            shown.quantity = quantityValue;
            select({layer: Number(layerValue), quantity: quantityValue});
        },

        chosen_partner: function (value) {
            if (value === null || value === undefined || shown.partner === value) return;
            shown.partner = value;
            select({partner: Number(value)});
        },

        sorted: function (value) {
            if (shown.sort === value) return;
            shown.sort = value;
            select({sort: value});
        },

        slid: function (value) {
            if (shown.recording === value || value === null || value === undefined) return;
            shown.recording = value;
            stop();
            select({t: value}, true);
        },
    };
})();
