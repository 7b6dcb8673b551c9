/* The gallery of a run: what the net says of each image at the chosen recording, sorted and searched. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, byId, state} = view;
    const SORTS = {
        label: [], index: [],
        loss: ["loss", -1, (value) => `loss ${value.toFixed(3)}`],
        self_similarity: ["self_similarity", 1, (value) => `self ${value.toFixed(3)}`],
        churn: ["churn", -1, (value) => `${Math.round(100 * value)} % new`],
        cross_path: ["cross_path", 1, (value) => `cross ${value.toFixed(3)}`],
    };
    let states = null, shown = null, busy = false, near = false;
    const idle = window.requestIdleCallback || setTimeout;
    const observer = new IntersectionObserver((entries) => {
        near = entries[entries.length - 1].isIntersecting;
        if (near) update();
    }, {rootMargin: "300px"});
    let watched = null;

    async function update() {
        const host = byId("gallery");
        if (!host || !page.facts) return;
        if (watched !== host) {
            watched = host;
            shown = states = null;
            observer.observe(host);
        }
        if (near) fill(host);
        else idle(() => fill(host), {timeout: 2000});
        if (!near || !page.facts.layers.length || !page.facts.epochs.length) return;
        const query = new URLSearchParams({layer: view.layer(), quantity: view.quantity(), recording: view.recording()});
        const address = `/api/v1/runs/${page.place.run}/image-states?${query}`;
        if (address !== shown && !busy) {
            busy = true;
            try {
                const answer = await fetch(address);
                if (answer.ok) [states, shown] = [await answer.json(), address];
            } catch (error) {
                if (!(error instanceof TypeError)) throw error;
                setTimeout(update, view.RETRY_MS);
            } finally {
                busy = false;
            }
            if (address !== shown) return;
            return update();
        }
        if (states) arrange(host);
    }

    /* A link for each probe image, in order of label; made once, when there is time or somebody looks. */
    function fill(host) {
        if (!host.isConnected || !page.facts || host._images === page.facts.labels.length) return;
        const {run, labels, names, dataset_indices: places} = page.facts;
        host._images = labels.length;
        if (!labels.length) {
            const nothing = document.createElement("p");
            Object.assign(nothing, {className: "gallery-empty dimmed", textContent: "They appear here as soon as the data is loaded."});
            return host.replaceChildren(nothing);
        }
        const order = labels.map((_, i) => i).sort((i, j) => labels[i] - labels[j] || i - j);
        host.replaceChildren(...order.map((i) => {
            const tile = document.createElement("a"), caption = document.createElement("span");
            Object.assign(tile, {href: `/runs/${run}/images/${i}`, className: "tile", title: `probe image ${names[i]}, training image ${places[i]}`});
            Object.assign(caption, {className: "caption", textContent: names[i]});
            tile.append(view.thumbnail(i, 56), caption);
            return tile;
        }));
    }

    function arrange(host) {
        const tiles = [...host.querySelectorAll("a.tile")], key = SORTS[state().options["gallery.sort"]] ? state().options["gallery.sort"] : "label";
        const wanted = (state().options["gallery.find"] || "").trim().toLowerCase();
        const [measure, sign, words] = SORTS[key];
        const labels = page.facts.labels;
        const rank = (i) => (measure ? (states[measure][i] === null ? Infinity : sign * states[measure][i]) : key === "index" ? i : labels[i]);
        const images = tiles.map((tile) => [Number(tile.pathname.split("/").pop()), tile]);
        const before = images.map(([i]) => i).join();
        images.sort(([i], [j]) => rank(i) - rank(j) || i - j);
        let count = 0, right = 0;
        for (const [i, tile] of images) {
            const guess = states.predicted[i], is = guess === labels[i];
            const hidden = wanted !== "" && !(String(i) === wanted.replace("#", "") || page.facts.names[i].toLowerCase().split(" · ")[1].includes(wanted));
            count += hidden ? 0 : 1;
            right += !hidden && is ? 1 : 0;
            tile.hidden = hidden;
            const verdict = tile.querySelector(".verdict") || tile.appendChild(document.createElement("span"));
            const name = guess === null ? "undefined" : states.class_names[guess] || `class ${guess}`;
            verdict.className = `verdict ${is ? "is-right" : "is-wrong"}`;
            verdict.textContent = `${is ? "✓" : "✗"} ${name}`;
            verdict.setAttribute("aria-label", is ? `rightly taken for ${name}` : `wrongly taken for ${name}`);
            const detail = tile.querySelector(".detail") || tile.appendChild(document.createElement("small"));
            detail.className = "detail";
            detail.textContent = !measure ? "" : states[measure][i] === null ? "undefined" : words(states[measure][i]);
        }
        if (images.map(([i]) => i).join() !== before) host.append(...images.map(([, tile]) => tile));
        const said = byId("gallery-count");
        if (said) said.textContent = `${count} images, ${right} of them right at recording ${states.recording}`;
        const find = byId("gallery-find") || search();
        if (find && document.activeElement !== find) find.value = state().options["gallery.find"] || "";
    }

    function search() {
        const place = byId("gallery-search"), field = document.createElement("input");
        if (!place) return null;
        Object.assign(field, {id: "gallery-find", type: "search", placeholder: "Find by index or class", ariaLabel: "Find images by index or class"});
        place.append(field);
        return field;
    }

    document.addEventListener("input", (event) => {
        if (event.target.id !== "gallery-find") return;
        view.select({options: {...state().options, "gallery.find": event.target.value || undefined}}, true);
    });
    document.addEventListener("view-refreshed", update);
})();
