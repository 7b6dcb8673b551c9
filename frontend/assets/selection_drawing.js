/* Shows the selection: cursors and frames of figures, followed neighbours, film strip and controls. Figures say what a
   click on them selects in layout.meta and trace.meta (frontend/figures/__init__.py). */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, byId, set, state, select, newest, recording, layer, quantity, nearestAt, partner} = view;

    /* Figures in the window move at once, the others when there is time: each costs 25 to 50 ms. */
    let frame = null, later = null, controlling = null;
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
        view.refresh();  // the server draws what is missing while this goes on
        const figures = [...document.querySelectorAll(".figure[data-view] .js-plotly-plot")];
        figures.filter(visible).forEach(link);
        clearTimeout(later);
        later = setTimeout(() => figures.filter((figure) => figure.isConnected).forEach(link), 150);
        strip();
        legend();
        partnerCard();
        clearTimeout(controlling);
        controlling = setTimeout(controls);  // Dash takes its time, so lines and frames are painted before
    }

    const shown = {};
    function control(id, prop, value) {
        if (!byId(id) || shown[id] === value) return;
        shown[id] = value;
        set(id, {[prop]: value});
    }

    function controls() {
        if (!page.facts) return;
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
            const thumb = document.querySelector("#recording [role=slider]");
            if (thumb) thumb.setAttribute("aria-valuetext", text.textContent);
        }
        const follow = byId("follow");
        if (follow) follow.classList.toggle("is-following", now.t === null);
    }

    /* A figure that has been drawn: answer its clicks once, and keep its cursor where it belongs after each redraw. */
    function link(figure) {
        if (!figure._fullLayout || !figure.on) return;
        if (!figure._linked) {
            figure._linked = true;
            figure.on("plotly_click", (event) => select(view.changeOf(figure, event.points[0])));
            figure.on("plotly_hover", (event) => view.rests(view.changeOf(figure, event.points[0])));
            figure.on("plotly_unhover", () => view.rests({}));
            figure.on("plotly_afterplot", () => move(figure));
        }
        move(figure);
    }

    /* Where the shape of this name belongs: cursors at the recording, frames around what is chosen. */
    function placeOf(name, meta) {
        const t = recording(), made = Boolean(page.facts && page.facts.epochs.length), rows = meta.rows || [];
        if (name === "cursor") return {x0: t, x1: t, visible: made};
        if (name === "epoch") return {x0: made ? page.facts.epochs[t] : 0, x1: made ? page.facts.epochs[t] : 0, visible: made};
        if (name === "row") {
            const row = meta.select === "layer" ? layer() : rows.indexOf(partner());
            return {y0: row - 0.5, y1: row + 0.5, visible: row >= 0};
        }
        if (name === "chosen-pair") return view.ringOfPair();
        if (name !== "pair" && name !== "mirror") return {};
        const places = [rows.indexOf(state().image), rows.indexOf(state().partner)];
        const [x, y] = name === "pair" ? places : places.reverse();
        return {x0: x - 0.5, x1: x + 0.5, y0: y - 0.5, y1: y + 0.5, visible: x >= 0 && y >= 0};
    }

    /* The same in a layout that is yet to be drawn. */
    function place(layout) {
        for (const shape of layout.shapes || []) Object.assign(shape, placeOf(shape.name, layout.meta || {}));
    }

    function move(figure) {
        const shapes = figure.layout.shapes || [], meta = figure.layout.meta || {};
        if (!shapes.length || !meta.select || figure._moving) return;
        const change = {};
        shapes.forEach((shape, n) => {
            const where = placeOf(shape.name, meta), moved = Object.keys(where).filter((key) => shape[key] !== where[key]);
            if (!moved.length || view.moveShape(figure, n, where)) return;
            for (const key of moved) change[`shapes[${n}].${key}`] = where[key];
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
        if (!view.settled()) return null;
        const images = nearestAt(recording()), chosen = partner(), key = images.join();
        if (!images.length || figure.layout.meta.key === key) {
            if (figure.layout.meta.chosen !== chosen) emphasise(figure, chosen);
            return null;
        }
        const data = page.followed, ranks = figure.closest("#neighbour-ranks-figure") !== null, y = [], custom = [], names = [];
        const widths = [], metas = [];
        figure.data.forEach((trace, n) => {
            const image = images[n];
            const rank = image === undefined ? [] : data.ranks[image].map((one) => (one < 0 ? null : one));
            y.push(ranks ? rank.map((one) => (one === null ? null : one + 1)) : data.closeness[image] || []);
            custom.push(rank);
            names.push(image === undefined ? "" : page.facts.names[image]);
            widths.push(widthOf(image, chosen));
            metas.push({partner: image});
        });
        figure.layout.meta = {...meta, key, chosen, followed: images};
        return {y, customdata: custom, name: names, "line.width": widths, meta: metas};
    }

    const widthOf = (image, chosen) => (image !== undefined && image === chosen ? 5 : 2.5);

    /* The partner's line wide, the others narrow, without a redraw. */
    function emphasise(figure, chosen) {
        const lines = figure.querySelectorAll(".scatterlayer .trace"), traces = figure._fullData || [];
        figure.layout.meta = {...figure.layout.meta, chosen};
        figure.data.forEach((trace, n) => {
            const width = widthOf((trace.meta || {}).partner, chosen);
            trace.line = {...trace.line, width};
            if (traces[n] && traces[n].line) traces[n].line.width = width;
            const path = lines[n] && lines[n].querySelector(".js-line");
            if (path) path.style.strokeWidth = `${width}px`;
        });
    }

    function strip() {
        const host = byId("film-strip");
        if (!host || !view.nearStrip()) return;  // it is done when somebody comes near
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
        Object.assign(img, {src: picture(image), alt: "", width: size, height: size, className: "pixels", loading: "lazy"});
        return img;
    }

    /* The list beside the ranks: what the lines mean, as buttons that the keyboard reaches. */
    function legend() {
        const host = byId("followed"), plot = document.querySelector("#neighbour-ranks-figure .js-plotly-plot");
        if (!host || !plot || !plot.data || !view.settled()) return;
        const t = recording(), images = nearestAt(t), data = page.followed, chosen = partner();
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

    Object.assign(view, {render, shown, place, link, thumbnail, visible, strip});
    window.addEventListener("popstate", () => {
        view.forget();
        render();
    });
    window.addEventListener("_dashprivate_pushstate", render);
})();
