/* Pairs on a run's page: the chosen one, and those in a rectangle that was drawn. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, byId, state} = view;

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

    /* The chosen pair: both pictures, each a link to its page. */
    function chosenPair() {
        const host = byId("chosen-pair"), {image, partner} = state();
        if (!host || !page.facts) return;
        const key = `${image} ${partner} ${page.facts.labels.length}`;
        if (host.dataset.key === key) return;
        host.dataset.key = key;
        const known = (one) => one !== null && one < page.facts.labels.length;
        if (!known(image) || !known(partner)) return host.replaceChildren("No pair is chosen: click a cell or a point.");
        const same = page.facts.labels[image] === page.facts.labels[partner];
        host.replaceChildren("Chosen pair: ", thumbnail(image), thumbnail(partner), same ? "of the same label" : "of different labels");
    }

    /* A rectangle in the figure of overlap against distance. */
    async function inside(plot, event) {
        const host = byId("pairs-inside"), range = (event || {}).range;
        if (!host) return;
        if (!range) return host.replaceChildren();
        const of = (letter) => range[Object.keys(range).find((name) => name.startsWith(letter))].slice().sort((a, b) => a - b);
        const [x, y] = [of("x"), of("y")];
        const query = new URLSearchParams({
            layer: view.layer(), quantity: view.quantity(), recording: view.recording(),
            distance_from: x[0], distance_to: x[1], overlap_from: y[0], overlap_to: y[1], limit: 30,
        });
        const answer = await fetch(`/api/v1/runs/${page.place.run}/overlap/pairs?${query}`), found = await answer.json();
        if (!answer.ok) return host.replaceChildren(found.detail);
        const words = document.createElement("p"), list = document.createElement("ul");
        const few = found.image.length < found.total ? `the ${found.image.length} closest in data space of ${found.total.toLocaleString("en")} pairs` : `${found.total} pairs`;
        words.textContent = `In the rectangle: ${few}, of any label.`;
        list.className = "pairs";
        list.append(...found.image.map((image, n) => pair(image, found.other[n], `${found.distance[n].toFixed(2)} apart, ${Number(found.overlap[n].toPrecision(4))}`)));
        host.replaceChildren(words, list);
    }

    document.addEventListener("figure-drawn", (event) => {
        const plot = event.target.querySelector(".plot");
        if (event.target.dataset.view !== "overlap-distance" || plot._brushed) return;
        plot._brushed = true;
        plot.on("plotly_selected", (selected) => inside(plot, selected));
        plot.on("plotly_deselect", () => inside(plot, null));
    });
    document.addEventListener("view-refreshed", chosenPair);
})();
