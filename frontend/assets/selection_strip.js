/* The nearest neighbours of an image at each recording, as a strip of thumbnails: a column per recording, rank 0 on top.
   Hundreds of buttons that Dash need not know: as its components each would hear of every step of the slider. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, byId} = view;

    function button(words, data, className) {
        const made = document.createElement("button");
        Object.assign(made, {className, title: words});
        Object.assign(made.dataset, data);
        made.setAttribute("aria-label", words);
        return made;
    }

    function frame(t, rank, other) {
        const same = page.facts.labels[other] === page.facts.labels[page.place.image];
        const words = `${page.facts.names[other]}, rank ${rank} at recording ${t}${same ? ", same label" : ""}`;
        const made = button(words, {t, partner: other}, same ? "frame same" : "frame");
        made.append(view.thumbnail(other, 44));
        return made;
    }

    function column(t, nearest, churn, key) {
        const made = document.createElement("div");
        const fresh = churn === null ? "" : `, ${(100 * churn).toFixed(0)}% of the nearest are new`;
        made.className = "strip-column";
        Object.assign(made.dataset, {column: t, key});
        made.append(button(`recording ${t}${fresh}`, {t}, "strip-head"));
        made.firstChild.textContent = t;
        nearest.forEach((other, rank) => { if (other >= 0) made.append(frame(t, rank, other)); });
        return made;
    }

    /* Far from the window there is time until the reader rests: hundreds of buttons would hold back the figures that
       somebody looks at. */
    const REST_MS = 1500, NEAR = "400px";
    const idle = window.requestIdleCallback || setTimeout;
    let watched = null, near = false, resting = null;
    const observer = new IntersectionObserver((entries) => {
        near = entries[entries.length - 1].isIntersecting;
        if (near) show();
    }, {rootMargin: NEAR});

    view.filmStrip = function () {
        const host = byId("film-strip");
        if (!host) return;
        if (watched !== host) {
            observer.disconnect();
            [watched, near] = [host, false];
            observer.observe(host);
        }
        clearTimeout(resting);
        if (near) show();
        else resting = setTimeout(() => idle(show), REST_MS);
    };

    function show() {
        fill();
        view.strip();
    }

    view.nearStrip = () => near;

    /* Columns that are there already stay, and with them the focus and where the strip has been scrolled to. */
    function fill() {
        const host = byId("film-strip"), data = page.followed;
        if (!host || !page.facts) return;
        if (!data) return host.replaceChildren(page.facts.layers.length ? "" : "Layers and images are known once the trainer has loaded the data and built the net.");
        const known = new Map([...host.children].map((one) => [one.dataset.key, one]));
        const columns = data.recordings.map((t, n) => {
            const key = [page.place.run, page.place.image, t, data.churn[n], data.nearest[n]].join("|");
            return known.get(key) || column(t, data.nearest[n], data.churn[n], key);
        });
        const wanted = new Set(columns);
        for (const one of [...host.childNodes]) if (!wanted.has(one)) one.remove();  // the sentence from before as well
        columns.forEach((one, n) => { if (host.children[n] !== one) host.insertBefore(one, host.children[n] || null); });
    }
})();
