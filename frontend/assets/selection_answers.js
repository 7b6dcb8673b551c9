/* Answers of the server that hold until the run changes, kept for a while: who goes back to what has been seen waits for
   nothing. The neighbours of the page's image are such an answer too. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, byId, layer, quantity} = view;
    const KEPT = 60, RETRY_MS = 2000;
    const answers = new Map();

    async function fetched(address) {
        const answer = await fetch(address, {cache: "no-cache"});
        return {ok: answer.ok, text: await answer.text()};
    }

    /* What the server says at an address while the run is in this version: {ok, text}. Rejects where it cannot be reached. */
    function ask(address, version) {
        const key = `${version} ${address}`, forget = () => answers.delete(key);
        const answer = answers.get(key) || fetched(address);
        if (!answers.has(key)) answer.then(({ok}) => ok || forget(), forget);
        answers.delete(key);
        answers.set(key, answer);  // the last one used comes last
        for (const oldest of answers.keys()) {
            if (answers.size <= KEPT) break;
            answers.delete(oldest);
        }
        return answer;
    }

    function followedAddress() {
        const {run, image} = page.place;
        return `/api/v1/runs/${run}/images/${image}/followed?layer=${layer()}&quantity=${quantity()}`;
    }

    const follows = () => Boolean(page.facts && page.place && byId("film-strip") && page.facts.layers.length && page.facts.labels.length);

    /* Whether the neighbours that the page has are those of what is chosen. */
    function settled() {
        const known = page.followed;
        return !follows() || (known !== null && known.address === followedAddress() && known.version === page.facts.version);
    }

    const NONE = {recordings: [], nearest: [], ranks: {}, closeness: {}, churn: []};

    /* The neighbours of what is chosen, with the question that they answer. */
    async function neighbours() {
        if (settled()) return page.followed;
        const address = followedAddress(), version = page.facts.version;
        const {ok, text} = await ask(address, version);
        return {address, version, ...(ok ? JSON.parse(text) : NONE)};
    }

    /* Show them as soon as they are known; while an answer is under way only the newest wish is kept. */
    let following = false;
    async function follow() {
        if (following || settled()) return;
        following = true;
        const place = page.place;
        try {
            const followed = await neighbours();
            if (page.place === place) page.followed = followed;
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            setTimeout(view.render, RETRY_MS);
            return;
        } finally {
            following = false;
        }
        view.filmStrip();
        view.render();
    }

    Object.assign(view, {RETRY_MS, ask, settled, neighbours, follow});
})();
