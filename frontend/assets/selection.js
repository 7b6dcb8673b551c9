/* Selections on a run's pages. The address is the state: every click, control and step of the slider ends in select(),
   which writes it, and render() makes the page show it: cursors and frames of figures, followed neighbours, film strip
   and controls, all without asking the server. Figures say what a click on them selects in layout.meta and trace.meta
   (frontend/figures/__init__.py). */
window.dash_clientside = window.dash_clientside || {};
(function () {
    "use strict";
    const page = {place: null, facts: null, neighbours: null};
    let wanted = null, writing = null, playing = null;
    const byId = (id) => document.getElementById(id);
    const set = (id, props) => byId(id) && window.dash_clientside.set_props(id, props);

    /* ---- the address ---- */

    function parse(search) {
        const found = new URLSearchParams(search);
        const whole = (name) => (/^\d{1,9}$/.test(found.get(name) || "") ? Number(found.get(name)) : null);
        return {
            layer: whole("layer"), quantity: found.get("quantity") === "activation" ? "activation" : "path",
            partner: whole("partner"), t: whole("t"), sort: found.get("sort") === "value" ? "value" : "label",
        };
    }

    function searchOf(state) {
        const found = new URLSearchParams();
        if (state.layer) found.set("layer", state.layer);
        if (state.quantity !== "path") found.set("quantity", state.quantity);
        if (state.partner !== null) found.set("partner", state.partner);
        if (state.t !== null) found.set("t", state.t);
        if (state.sort !== "label") found.set("sort", state.sort);
        const text = found.toString();
        return text ? `?${text}` : "";
    }

    const state = () => wanted || parse(window.location.search);

    function write(path, search, replace) {
        clearTimeout(writing);
        writing = wanted = null;
        if (path === window.location.pathname && search === window.location.search) return;
        window.history[replace ? "replaceState" : "pushState"]({}, "", path + search);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    }

    /* Show a selection at once. Steps of the slider replace the address, and only when it has come to rest. */
    function select(change, replace) {
        const next = {...state(), ...change};
        const search = searchOf(next);
        if (search === searchOf(state())) return;
        if (replace) {
            wanted = next;
            clearTimeout(writing);
            writing = setTimeout(() => write(window.location.pathname, search, true), 200);
        } else {
            write(window.location.pathname, search, false);
        }
        render();
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
        const data = page.neighbours;
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

    /* ---- showing it ---- */

    /* Figures in the window move at once, the others when there is time: each costs 25 to 50 ms. */
    let frame = null, later = null;
    function visible(figure) {
        const box = figure.getBoundingClientRect();
        return box.bottom > 0 && box.top < window.innerHeight;
    }

    function render() {
        if (frame === null) frame = setTimeout(draw);
    }

    function draw() {
        frame = null;
        if (!page.facts) return;
        controls();
        document.querySelectorAll(".figure .js-plotly-plot").forEach(keepZoom);
        const figures = [...document.querySelectorAll(".figure.linked .js-plotly-plot")];
        figures.filter(visible).forEach(link);
        clearTimeout(later);
        later = setTimeout(() => figures.filter((figure) => figure.isConnected).forEach(link), 150);
        strip();
        legend();
        partnerCard();
    }

    const shown = {};
    function control(id, prop, value) {
        if (!byId(id) || shown[id] === value) return;
        shown[id] = value;
        set(id, {[prop]: value});
    }

    function controls() {
        const now = state(), t = recording();
        if (page.facts.layers.length) control("layer", "value", String(layer()));
        control("quantity", "value", quantity());
        control("sort", "value", now.sort);
        control("partner", "value", partner() === null ? null : String(partner()));
        const last = Math.max(1, newest());
        if (shown.newest !== last) {
            shown.newest = last;
            set("recording", {max: last});
        }
        control("recording", "value", t);
        const text = byId("recording-text");
        if (text) {
            const epoch = page.facts.epochs[t];
            text.textContent = epoch === undefined ? "no recording yet" : `t = ${t}, epoch ${Number(epoch.toPrecision(4))}`;
        }
        const follow = byId("follow");
        if (follow) follow.classList.toggle("is-following", now.t === null);
    }

    /* Dash copies every change of a figure's layout into its `figure` and draws it again (since 4.4). That would undo
       uirevision, by which live redraws keep the zoom, and double the cost of moving a cursor. Nobody needs it here. */
    function keepZoom(figure) {
        if (figure.removeAllListeners) figure.removeAllListeners("plotly_relayout");
    }

    /* A figure that has been drawn: answer its clicks once, and keep its cursor where it belongs after each redraw. */
    function link(figure) {
        if (!figure._fullLayout || !figure.on) return;
        if (!figure._linked) {
            figure._linked = true;
            figure.on("plotly_click", (event) => clicked(figure, event.points[0]));
            figure.on("plotly_afterplot", () => move(figure));
        }
        move(figure);
    }

    function move(figure) {
        const shapes = figure.layout.shapes || [], meta = figure.layout.meta || {};
        if (!shapes.length || !meta.select || figure._moving) return;
        const change = {}, t = recording(), made = Boolean(page.facts && page.facts.epochs.length);
        const row = meta.select === "layer" ? layer() : (meta.rows || []).indexOf(partner());
        shapes.forEach((shape, n) => {
            const place = shape.name === "cursor" ? {x0: t, x1: t, visible: made}
                : {y0: row - 0.5, y1: row + 0.5, visible: row >= 0};
            for (const key of Object.keys(place)) {
                if (shape[key] !== place[key]) change[`shapes[${n}].${key}`] = place[key];
            }
        });
        const traces = meta.followed ? followed(figure, meta) : null;
        if (!traces && !Object.keys(change).length) return;
        figure._moving = true;
        const done = () => { figure._moving = false; };
        const update = traces ? window.Plotly.update(figure, traces, change) : window.Plotly.relayout(figure, change);
        update.then(done, done);
    }

    /* The traces of a neighbour figure for the images that are nearest at the recording; null where they are shown. */
    function followed(figure, meta) {
        const images = nearestAt(recording()), chosen = partner();
        const key = images.join() + "|" + chosen;
        if (!images.length || figure.layout.meta.key === key) return null;
        const data = page.neighbours, ranks = figure.closest("#ranks-figure") !== null, y = [], custom = [], names = [];
        const widths = [], metas = [];
        figure.data.forEach((trace, n) => {
            const image = images[n];
            const rank = image === undefined ? [] : data.ranks[image].map((one) => (one < 0 ? null : one));
            y.push(ranks ? rank.map((one) => (one === null ? null : one + 1)) : data.closeness[image] || []);
            custom.push(rank);
            names.push(image === undefined ? "" : page.facts.names[image]);
            widths.push(image === chosen ? 5 : 2.5);
            metas.push({partner: image});
        });
        figure.layout.meta = {...meta, key, followed: images};
        return {y, customdata: custom, name: names, "line.width": widths, meta: metas};
    }

    function strip() {
        const host = byId("film-strip");
        if (!host) return;
        const t = String(recording()), chosen = String(partner());
        for (const column of host.children) {
            if (!column.dataset) continue;
            const selected = column.dataset.column === t;
            if (selected && !column.classList.contains("is-selected")) reveal(host, column);
            column.classList.toggle("is-selected", selected);
        }
        for (const button of host.querySelectorAll("button[data-partner]")) {
            const is = button.dataset.partner === chosen;
            button.classList.toggle("is-partner", is);
            button.setAttribute("aria-pressed", is ? "true" : "false");
        }
    }

    function reveal(host, column) {
        const left = column.offsetLeft - host.offsetLeft;
        if (left < host.scrollLeft || left + column.offsetWidth > host.scrollLeft + host.clientWidth) {
            host.scrollLeft = left - host.clientWidth / 2;
        }
    }

    const picture = (image) => `/api/v1/runs/${page.place.run}/images/${image}.png`;

    function thumbnail(image, size) {
        const img = document.createElement("img");
        Object.assign(img, {src: picture(image), alt: "", width: size, height: size, className: "pixels"});
        return img;
    }

    /* The list beside the ranks: what the lines mean, as buttons that the keyboard reaches. */
    function legend() {
        const host = byId("followed"), plot = document.querySelector("#ranks-figure .js-plotly-plot");
        if (!host || !plot || !plot.data) return;
        const t = recording(), images = nearestAt(t), data = page.neighbours, chosen = partner();
        const place = data ? Math.max(0, data.recordings.indexOf(t)) : 0;
        const colours = plot.data.map((trace) => (trace.line || {}).color);
        const key = JSON.stringify([images, t, chosen, colours]);
        if (host.dataset.key === key) return;
        host.dataset.key = key;
        const focused = [...host.querySelectorAll("button")].indexOf(document.activeElement);
        host.replaceChildren(...images.map((image, n) => {
            const item = document.createElement("div"), button = document.createElement("button");
            const swatch = document.createElement("span"), words = document.createElement("span");
            item.setAttribute("role", "listitem");
            button.className = image === chosen ? "followed-image is-partner" : "followed-image";
            button.dataset.partner = image;
            button.setAttribute("aria-pressed", image === chosen ? "true" : "false");
            swatch.className = "swatch";
            swatch.style.background = colours[n] || "transparent";
            const same = page.facts.labels[image] === page.facts.labels[page.place.image];
            const value = data.closeness[image][place];
            const close = Number.isInteger(value) ? `${value} units` : value === null ? "undefined" : value.toFixed(4);
            words.textContent = `${n}: ${page.facts.names[image]}${same ? " =" : ""}`;
            const detail = document.createElement("small");
            detail.textContent = close;
            words.append(document.createElement("br"), detail);
            button.append(swatch, thumbnail(image, 36), words);
            item.append(button);
            return item;
        }));
        if (focused >= 0) (host.querySelectorAll("button")[focused] || host).focus();
    }

    function partnerCard() {
        const host = byId("partner-picture"), image = partner();
        if (!host || host.dataset.image === String(image)) return;
        host.dataset.image = String(image);
        host.replaceChildren(...(image === null ? [] : [thumbnail(image, 72)]));
        byId("open-partner").disabled = image === null;
    }

    /* ---- what the user does ---- */

    function clicked(figure, point) {
        const meta = figure.layout.meta || {}, change = {t: Math.round(point.x)};
        if (!meta.select) return;
        if (meta.rows) change[meta.select] = meta.select === "layer" ? point.y : meta.rows[point.y];
        const trace = (point.data || {}).meta || {};
        if (trace.partner !== undefined) change.partner = trace.partner;
        select(change);
    }

    document.addEventListener("click", (event) => {
        const target = event.target.closest("[data-partner], [data-t], #play, #step-back, #step-on, #follow, #open-partner");
        if (!target || !page.place) return;
        const change = {};
        if (target.dataset.partner) change.partner = Number(target.dataset.partner);
        if (target.dataset.t) change.t = Number(target.dataset.t);
        if (Object.keys(change).length) return select(change);
        if (target.id === "play") return playing ? stop() : play();
        stop();
        if (target.id === "step-back") select({t: Math.max(0, recording() - 1)}, true);
        else if (target.id === "step-on") select({t: Math.min(newest(), recording() + 1)}, true);
        else if (target.id === "follow") select({t: null});
        else if (partner() !== null) {
            const back = {...state(), partner: page.place.image};
            write(`/runs/${page.place.run}/images/${partner()}`, searchOf(back), false);
        }
    });

    /* Between a run and its images the selection goes along; a new tab is the browser's business. */
    document.addEventListener("click", (event) => {
        const link = event.target.closest("a.tile, #back-to-run");
        if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        write(link.pathname, searchOf({...state(), partner: null}), false);
    }, true);

    function play() {
        if (recording() >= newest()) select({t: 0}, true);
        const step = () => {
            if (!byId("play") || recording() >= newest()) return stop();
            select({t: recording() + 1}, true);
            playing = setTimeout(step, 1000 / speed());
        };
        playing = setTimeout(step, 1000 / speed());
        playButton(true);
    }

    function stop() {
        clearTimeout(playing);
        playing = null;
        playButton(false);
    }

    const speed = () => parseFloat((byId("speed") || {}).value) || 2;

    function playButton(on) {
        const button = byId("play");
        if (!button) return;
        button.setAttribute("aria-label", on ? "Pause" : "Play through the recordings");
        const icon = button.querySelector(".icon");
        icon.classList.toggle("icon-pause", on);
        icon.classList.toggle("icon-running", !on);
    }

    window.addEventListener("popstate", render);
    window.addEventListener("_dashprivate_pushstate", render);

    /* ---- what Dash calls ---- */

    /* Newer facts make every figure ask the server again, and Dash drops the answer to a question that has been asked
       again. So facts change only when all figures have been drawn for the last ones (or something went wrong). */
    const PATIENCE = 5000;
    const awaited = new Set();
    let pending = null, since = 0;
    function adopt() {
        if (!pending || !page.place || pending.run !== page.place.run) return;
        const left = PATIENCE - (Date.now() - since);
        if (awaited.size && left > 0) {
            setTimeout(adopt, left + 10);
            return;
        }
        const facts = pending;
        pending = null;
        since = Date.now();
        awaited.clear();
        document.querySelectorAll(".figure .dash-graph").forEach((graph) => awaited.add(graph.id));
        window.dash_clientside.set_props("facts", {data: facts});
    }

    /* A page has just been built: its controls show what the address says, as far as the server knew it. */
    function enter(built) {
        if (playing) stop();
        for (const name of Object.keys(shown)) delete shown[name];
        Object.assign(shown, {quantity: quantity(), sort: state().sort, layers: built, layer: built ? String(layer()) : undefined});
        Object.assign(page, {neighbours: null});
        asked = 0;
        pending = null;
        awaited.clear();
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
        theme: (theme) => theme,

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
            render();
        },

        /* A graph has got its figure. It is painted only after this returns: look again until it is. */
        drawn: function () {
            awaited.delete(window.dash_clientside.callback_context.triggered_id);
            if (!awaited.size) adopt();
            for (const wait of [0, 60, 200, 600, 1500]) setTimeout(render, wait);
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
