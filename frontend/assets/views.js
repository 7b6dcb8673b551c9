/* Draws the figures of a page from REST: each `.figure[data-view]` names its view and parameters, the address and the
   controls say what is chosen. A figure is asked for when it comes near the window and whenever what it shows has
   changed; while an answer is under way only the newest wish is kept, so that none starves. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page, state, newest, recording, layer, quantity, partner, RETRY_MS} = view;
    const CONFIG = {
        showSendToCloud: false, displaylogo: false, responsive: true, doubleClick: "reset",
        modeBarButtonsToRemove: ["toImage", "lasso2d", "autoScale2d"],
    };
    const NEAR = "400px";
    const WAITING = {
        layer: "Layers are known once the trainer has built the net.",
        image: "The probe images are known once the trainer has loaded the data.",
        recording: "There is nothing to see before the first recording.",
    };
    const drawn = new Set();

    const scheme = () => document.documentElement.dataset.agThemeMode || "light";
    const parametersOf = (host) => host.dataset.parameters.split(" ").filter(Boolean);

    /* What is chosen of a view's parameter; undefined leaves it to the server. */
    function chosen(name, host) {
        const fixed = JSON.parse(host.dataset.fixed || "{}");
        if (name in fixed) return fixed[name];
        const option = state().options[`${host.dataset.view}.${name}`];
        if (option !== undefined) return option;
        if (name === "layer") return layer();
        if (name === "quantity") return quantity();
        if (name === "image") return page.place.image;
        if (name === "partner") return partner();
        if (name === "recording") return recording();
        if (name === "order" && host.dataset.view === "image-cross-path") return state().sort;
        return undefined;
    }

    function address(host) {
        const query = new URLSearchParams();
        for (const name of parametersOf(host)) {
            const value = chosen(name, host);
            if (value !== undefined && value !== null) query.set(name, value);
        }
        return `/api/v1/runs/${page.place.run}/figures/${host.dataset.view}?${query}`;
    }

    /* Why there is nothing to ask for; the server would say the same. */
    function missing(host) {
        const facts = page.facts, needs = host.dataset.needs;
        if (needs && !facts.recorded.includes(needs)) return host.dataset.without;
        const parameters = host.dataset.waits.split(" ");
        if (parameters.includes("layer") && !facts.layers.length) return WAITING.layer;
        if (parameters.includes("image") && !facts.labels.length) return WAITING.image;
        return parameters.includes("recording") && !facts.epochs.length ? WAITING.recording : null;
    }

    /* Figures over training change with each recording, those of one recording do not. */
    function keyOf(host) {
        return [address(host), scheme(), parametersOf(host).includes("recording") ? "" : page.facts.version].join(" ");
    }

    /* Without a choice the partner is the nearest image, which the neighbours will tell. */
    const partnerOpen = (host) => state().partner === null && !("partner" in JSON.parse(host.dataset.fixed || "{}"));
    const unsettled = (host) => parametersOf(host).includes("partner") && partnerOpen(host) && !view.settled();

    const answerOf = (host) => view.ask(`${address(host)}&scheme=${scheme()}`, page.facts.version);

    /* Ask for every figure in the window, as if these were the neighbours. */
    function askSeen(followed) {
        const before = page.followed;
        page.followed = followed;
        const hosts = [...document.querySelectorAll(".figure[data-view]")].filter(view.visible);
        const asked = hosts.filter((host) => !missing(host) && !unsettled(host)).map(answerOf);
        page.followed = before;
        return asked;
    }

    async function draw(host) {
        const sentence = missing(host);
        if (sentence) return say(host, sentence);
        const key = keyOf(host);
        if (host._shown === key || host._busy || unsettled(host)) return;
        host._busy = true;
        try {
            const {ok, text} = await answerOf(host), body = JSON.parse(text);
            if (!host.isConnected) return;
            if (ok) await paint(host, body);
            else say(host, body.detail);
            host._shown = key;
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            setTimeout(refresh, RETRY_MS);
        } finally {
            host._busy = false;
            host.removeAttribute("aria-busy");
        }
        if (host.isConnected && host._shown && keyOf(host) !== host._shown) draw(host);
    }

    async function paint(host, figure) {
        const plot = host.querySelector(".plot");
        host.querySelector(".nothing").textContent = "";
        view.place(figure.layout);
        host.style.minHeight = `${figure.layout.height}px`;
        if (host.closest(".panel.is-full")) figure.layout.height = view.fullHeight();
        await window.Plotly.react(plot, figure.data, figure.layout, CONFIG);
        if (!host.isConnected) return window.Plotly.purge(plot);
        drawn.add(host);
        view.link(plot);
        if ((figure.layout.meta || {}).followed) view.render();
        host.dispatchEvent(new CustomEvent("figure-drawn", {bubbles: true}));
    }

    function say(host, sentence) {
        const plot = host.querySelector(".plot");
        if (sentence === host.dataset.without) host.style.minHeight = "5rem";  // there will never be more
        if (plot.data) window.Plotly.purge(plot);
        host._shown = null;
        host.querySelector(".nothing").textContent = sentence;
    }

    const observer = new IntersectionObserver((entries) => {
        for (const entry of entries) entry.target._near = entry.isIntersecting;
        if (entries.some((entry) => entry.isIntersecting)) refresh();
    }, {rootMargin: NEAR});

    /* First those that somebody sees; the server is asked for the others once these are painted. */
    function drawNear(hosts) {
        const seen = hosts.filter(view.visible);
        Promise.all(seen.map(draw)).then(() => setTimeout(() => hosts.filter((host) => host.isConnected && page.place).forEach(draw)));
    }

    /* Ask for every figure near the window that does not show what is chosen. */
    function refresh() {
        for (const host of drawn) {
            if (host.isConnected) continue;
            window.Plotly.purge(host.querySelector(".plot"));
            drawn.delete(host);
        }
        if (!page.facts || !page.place) return;
        view.follow();
        if (!window.Plotly) return;
        const hosts = [...document.querySelectorAll(".figure[data-view]")];
        for (const host of hosts) {
            if (host._watched) continue;
            host._watched = true;
            observer.observe(host);
        }
        drawNear(hosts.filter((host) => host._near));
        options();
        document.dispatchEvent(new CustomEvent("view-refreshed"));
    }

    /* Buttons that choose an option of a view: pressed where the address says so. */
    function options() {
        for (const button of document.querySelectorAll("[data-option]")) {
            const value = state().options[button.dataset.option];
            const is = value === undefined ? button.dataset.default !== undefined : value === button.dataset.value;
            button.setAttribute("aria-pressed", is ? "true" : "false");
        }
    }

    document.addEventListener("plotly-loaded", refresh);
    Object.assign(view, {refresh, address, newest, askSeen});
})();
