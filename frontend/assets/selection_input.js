/* Turns clicks and the play button into selections. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, byId, state, write, searchOf, select, slide, newest, recording, partner} = view;
    let playing = null;

    /* What a click on a point selects, by what the figure says of itself. */
    function changeOf(figure, point) {
        const meta = figure.layout.meta || {}, trace = (point.data || {}).meta || {};
        if (!meta.select) return {};
        const change = selected(meta, point);
        for (const name of ["partner", "layer"]) if (trace[name] !== undefined) change[name] = trace[name];
        return change;
    }

    function selected(meta, point) {
        if (meta.select === "trace") return Array.isArray(point.customdata) ? {image: point.customdata[0], partner: point.customdata[1]} : {};
        if (meta.select === "pair") return {image: meta.rows[point.y], partner: meta.rows[point.x]};
        if (meta.select === "epoch") return {t: nearestTo(point.x)};
        const change = {t: Math.round(point.x)};
        if (meta.rows) change[meta.select] = meta.select === "layer" ? point.y : meta.rows[point.y];
        return change;
    }

    function nearestTo(epoch) {
        const distance = page.facts.epochs.map((one) => Math.abs(one - epoch));
        return distance.indexOf(Math.min(...distance));
    }

    document.addEventListener("click", (event) => {
        const target = event.target.closest("[data-partner], [data-t], #play, #step-back, #step-on, #follow, #open-partner, #open-pair");
        if (!target || !page.place) return;
        const change = {};
        if (target.dataset.image) change.image = Number(target.dataset.image);
        if (target.dataset.partner) change.partner = Number(target.dataset.partner);
        if (target.dataset.t) change.t = Number(target.dataset.t);
        if (Object.keys(change).length) return select(change);
        if (target.id === "play") return playing ? stop() : play();
        stop();
        if (target.id === "step-back") slide(recording() - 1);
        else if (target.id === "step-on") slide(recording() + 1);
        else if (target.id === "follow") select({t: null});
        else if (target.id === "open-pair") {
            const search = searchOf({...state(), partner: null});
            if (partner() !== null) write(`/runs/${page.place.run}/pairs/${page.place.image}/${partner()}`, search, false);
        }
        else if (partner() !== null) {
            const back = {...state(), partner: page.place.image};
            write(`/runs/${page.place.run}/images/${partner()}`, searchOf(back), false);
        }
    });

    /* From the chosen pair of a run, the other image goes along as partner. */
    function partnerOf(link) {
        const pair = link.closest("#chosen-pair") && !link.pathname.includes("/pairs/") ? [state().image, state().partner] : [];
        return pair.find((image) => !link.pathname.endsWith(`/images/${image}`)) ?? null;
    }

    /* Between a run and its images the selection goes along; a new tab is the browser's business. */
    document.addEventListener("click", (event) => {
        const link = event.target.closest("a.tile, #back-to-run, a.pair-image, main a[href*='/pairs/']");
        if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        write(link.pathname, searchOf({...state(), image: null, partner: partnerOf(link)}), false);
    }, true);

    function play() {
        if (recording() >= newest()) select({t: 0}, true);
        const step = () => {
            if (!byId("play") || recording() >= newest()) return stop();
            slide(recording() + 1);
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

    Object.assign(view, {changeOf, stop});
})();
