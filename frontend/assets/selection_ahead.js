/* Where the pointer rests, a click may follow: what it would show is asked for, so that the click need not wait. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, state, supposing} = view;
    const REST_MS = 60;
    let resting = null, asking = false;

    /* The pointer has come upon something that a click would select; nothing, where it has left. */
    function rests(change) {
        clearTimeout(resting);
        const other = ["layer", "partner"].some((name) => change[name] !== undefined && change[name] !== state()[name]);
        if (other) resting = setTimeout(() => ahead(change), REST_MS);
    }

    /* One at a time: the server has others to answer. */
    async function ahead(change) {
        if (asking || !page.facts || !page.place) return;
        asking = true;
        const {place, facts} = page;
        try {
            const followed = await supposing(change, view.neighbours);
            if (page.place !== place || page.facts !== facts) return;
            await Promise.all(supposing(change, () => view.askSeen(followed)));
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;  // the server is away: the click will ask again
        } finally {
            asking = false;
        }
    }

    Object.assign(view, {rests});
})();
