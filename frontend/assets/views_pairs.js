/* Pairs on a run's page: the chosen one, and those in a rectangle that was drawn, which the address holds. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, byId, state} = view;
    const BRUSH = "overlap-distance.brush", HAND_MS = 3000;

    function thumbnail(image) {
        const link = document.createElement("a"), img = document.createElement("img"), words = document.createElement("span");
        Object.assign(img, {src: `/api/v1/runs/${page.place.run}/images/${image}.png`, alt: "", width: 48, height: 48, className: "pixels"});
        Object.assign(link, {href: `/runs/${page.place.run}/images/${image}`, className: "tile"});
        words.className = "caption";
        words.textContent = page.facts.names[image];
        link.append(img, words);
        return link;
    }

    function pair(image, other, words) {
        const button = document.createElement("button"), item = document.createElement("li");
        button.className = "pair";
        button.dataset.image = image;
        button.dataset.partner = other;
        for (const one of [image, other]) button.append(...thumbnail(one).childNodes);
        const detail = document.createElement("small");
        detail.textContent = words;
        button.append(detail);
        item.append(button);
        return item;
    }

    /* The chosen pair: both pictures, each a link to its page, and the way to the page of the pair. */
    function chosenPair() {
        const host = byId("chosen-pair"), {image, partner} = state();
        if (!host || !page.facts) return;
        const key = `${image} ${partner} ${page.facts.labels.length}`;
        if (host.dataset.key === key) return;
        host.dataset.key = key;
        const known = (one) => one !== null && one < page.facts.labels.length;
        if (!known(image) || !known(partner)) return host.replaceChildren("No pair is chosen: click a cell or a point.");
        const same = page.facts.labels[image] === page.facts.labels[partner];
        const link = document.createElement("a"), value = document.createElement("span");
        value.id = "chosen-pair-measured";
        value.setAttribute("aria-live", "off");
        Object.assign(link, {href: `/runs/${page.place.run}/pairs/${image}/${partner}`, className: "pair-link", textContent: "See the two over training"});
        host.replaceChildren("Chosen pair: ", thumbnail(image), thumbnail(partner), same ? "of the same label" : "of different labels", value, link);
        measured = null;
    }

    /* How far apart it is and what it shares at the recording, in words and as a ring in the figure. */
    let measured = null, measuring = false;
    async function measurePair() {
        const host = byId("chosen-pair-measured"), {image, partner} = state();
        if (!host) return;
        const query = new URLSearchParams({layer: view.layer(), quantity: view.quantity(), recording: view.recording(), image, other: partner});
        const address = `/api/v1/runs/${page.place.run}/overlap/pairs?${query}`;
        if (measuring || (measured && measured.address === address)) return;
        measuring = true;
        try {
            const {ok, text} = await view.ask(address, page.facts.version), found = ok ? JSON.parse(text) : {total: 0};
            measured = {address, at: found.total ? {distance: found.distance[0], overlap: found.overlap[0]} : null};
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            return void setTimeout(measurePair, view.RETRY_MS);
        } finally {
            measuring = false;
        }
        const {at} = measured, unit = view.quantity() === "path" ? "units shared" : "cosine";
        if (host.isConnected) host.textContent = at ? `at t = ${query.get("recording")}: ${at.distance.toFixed(2)} apart in data space, ${Number(at.overlap.toPrecision(4))} ${unit}` : "";
        view.render();
    }

    /* Where the figure of overlap against distance has its ring. */
    function ringOfPair() {
        const at = byId("chosen-pair-measured") && measured && measured.at, labels = page.facts ? page.facts.labels : [];
        if (!at) return {visible: false};
        const axis = labels[state().image] === labels[state().partner] ? "2" : "";
        return {xref: `x${axis}`, yref: `y${axis}`, xanchor: at.distance, yanchor: at.overlap, visible: true};
    }

    /* Its pictures in the gallery. */
    function chosenTiles() {
        const {image, partner} = state(), chosen = [image, partner].map((one) => `/runs/${(page.place || {}).run}/images/${one}`);
        for (const tile of document.querySelectorAll("#gallery .tile")) tile.classList.toggle("is-chosen", chosen.includes(tile.pathname));
    }

    /* ---- a rectangle in the figure of overlap against distance ---- */

    /* What the address says of it: which half of the figure, and its sides. */
    function brush() {
        const [half, ...sides] = (state().options[BRUSH] || "").split(","), [x0, x1, y0, y1] = sides.map(Number);
        return sides.length === 4 && sides.every((side) => side && Number.isFinite(Number(side))) ? {same: half === "same", x0, x1, y0, y1} : null;
    }

    function brushed(event) {
        const range = (event || {}).range;
        const of = (letter) => range[Object.keys(range).find((name) => name.startsWith(letter))].slice().sort((a, b) => a - b);
        const text = range && [("x2" in range) ? "same" : "different", ...[...of("x"), ...of("y")].map((side) => Number(side.toPrecision(6)))].join(",");
        view.select({options: {...state().options, [BRUSH]: text || undefined}}, true);
    }

    /* A figure that was drawn anew, or from a link, shows the rectangle of the address. */
    function drawBrush(plot) {
        const found = brush();
        if (!found || (plot.layout.selections || []).length) return;
        const {same, ...sides} = found, axis = same ? "2" : "";
        window.Plotly.relayout(plot, {selections: [{type: "rect", xref: `x${axis}`, yref: `y${axis}`, ...sides}]});
    }

    async function inside() {
        const host = byId("pairs-inside"), found = brush();
        if (!host || !page.facts || !page.facts.epochs.length) return;
        const query = found && new URLSearchParams({
            layer: view.layer(), quantity: view.quantity(), recording: view.recording(), same_label: found.same,
            distance_from: found.x0, distance_to: found.x1, overlap_from: found.y0, overlap_to: found.y1, limit: 30,
        });
        const key = String(query);
        if (host.dataset.key === key) return;
        host.dataset.key = key;
        if (!query) return host.replaceChildren();
        let answer;
        try {
            answer = await view.ask(`/api/v1/runs/${page.place.run}/overlap/pairs?${query}`, page.facts.version);
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            delete host.dataset.key;
            return void setTimeout(inside, view.RETRY_MS);
        }
        const body = JSON.parse(answer.text);
        if (host.dataset.key === key) host.replaceChildren(...(answer.ok ? listed(body, found.same) : [body.detail]));
    }

    function listed(found, same) {
        const words = document.createElement("p"), list = document.createElement("ul");
        const labels = same ? "of the same label" : "of different labels", unit = view.quantity() === "path" ? " units shared" : " cosine";
        const few = found.image.length < found.total ? `the ${found.image.length} closest in data space of ${found.total.toLocaleString("en")} pairs` : `${found.total} pairs`;
        words.textContent = `In the rectangle at recording ${view.recording()}: ${few} ${labels}.`;
        list.className = "pairs";
        list.append(...found.image.map((image, n) => pair(image, found.other[n], `${found.distance[n].toFixed(2)} apart, ${Number(found.overlap[n].toPrecision(4))}${unit}`)));
        return [words, list];
    }

    view.ringOfPair = ringOfPair;
    document.addEventListener("figure-drawn", (event) => {
        const plot = event.target.querySelector(".plot");
        if (event.target.dataset.view !== "overlap-distance") return;
        if (!plot._brushed) {
            plot._brushed = true;
            // Plotly tells of a rectangle that it draws or loses by itself as well.
            let pressed = -Infinity;
            const byHand = () => performance.now() - pressed < HAND_MS;
            for (const name of ["pointerdown", "pointerup"]) plot.addEventListener(name, () => { pressed = performance.now(); }, true);
            plot.on("plotly_selected", (selected) => byHand() && brushed(selected));
            plot.on("plotly_deselect", () => byHand() && brushed(null));
        }
        drawBrush(plot);
    });
    document.addEventListener("view-refreshed", () => {
        chosenPair();
        measurePair();
        chosenTiles();
        inside();
    });
})();
