/* What Dash's clientside callbacks call: news from the server, and controls that the user has changed. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, set, state, select, layer, quantity, shown, render, stop, RETRY_MS} = view;

    /* Ask for newer facts; what comes in meanwhile makes us ask once more. */
    let asking = false, missed = false;
    async function news() {
        const place = page.place;
        missed = asking;
        if (asking || !place) return;
        asking = true;
        try {
            const answer = await fetch(`/api/v1/runs/${place.run}/facts`, {cache: "no-cache"});
            if (answer.ok) adopt(await answer.json(), place);
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            setTimeout(news, RETRY_MS);
        } finally {
            asking = false;
        }
        if (missed) news();
    }

    function adopt(facts, place) {
        if (page.place !== place || facts.version === page.facts.version) return;
        const before = page.facts;
        page.facts = facts;
        if (facts.layers.length && !before.layers.length) {
            shown.layer = String(layer());
            set("layer", {data: facts.layers.map(({value, label}) => ({value, label})), value: String(layer())});
        }
        if (facts.labels.length && !before.labels.length) set("images-known", {data: facts.labels.length});
        render();
    }

    const nothing = () => window.dash_clientside.no_update;
    const PATIENCE = 5000;
    let ticks = 0, asked = 0, again = false;
    function ask() {
        ticks += 1;
        asked = Date.now();
        again = false;
        return ticks;
    }

    window.dash_clientside.selection = {
        /* facts.data, place: a page has just been built. Its controls show what the address says, as far as the server knew it. */
        enter: function (facts, place) {
            stop();
            for (const name of Object.keys(shown)) delete shown[name];
            Object.assign(page, {facts, place, followed: null});
            const built = facts.layers.length > 0;
            Object.assign(shown, {quantity: quantity(), sort: state().sort, layer: built ? String(layer()) : undefined});
            asked = 0;
            view.filmStrip();
            render();
            return nothing();
        },

        news,

        /* live.data, place -> run-tick.data */
        concerns: function (tick, place) {
            if (!tick || !place || (tick.runs !== null && !tick.runs.includes(place.run))) return nothing();
            news();
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
            view.slide(value);
        },
    };
})();
