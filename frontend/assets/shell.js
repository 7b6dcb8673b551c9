/* Clientside callbacks of the shell: colour scheme, and what happens when a page is entered. */
window.dash_clientside = window.dash_clientside || {};

/* A callback that fails on the server would only leave a line in the console: say it. While the server is away, the page
   that a link leads to is asked for until it comes; anything else may have been done or not, and is not sent again. */
(function () {
    "use strict";
    const ask = window.fetch.bind(window);
    const notify = (id, title, message, color) => window.dash_clientside.set_props("notifications", {
        sendNotifications: [{id, action: "show", title, message, color, autoClose: 10000}],
    });
    const back = () => new Promise((resolve) => document.addEventListener("server-back", resolve, {once: true}));

    async function persistently(address, args) {
        for (;;) {
            try {
                return await ask(...args);
            } catch (error) {
                const body = String((args[1] || {}).body || "");
                if (!address.includes("_dash-update-component") || error.name === "AbortError") throw error;
                if (body.includes('"changedPropIds":["url.pathname"]')) await back();
                else {
                    if (body.includes(".n_clicks\"]")) notify("not-sent", "The server does not answer", "What you asked for may not have been done. Try again once it is back.", "orange");
                    throw error;
                }
            }
        }
    }

    window.fetch = async function (...args) {
        const address = args[0] instanceof Request ? args[0].url : String(args[0]);
        const response = await persistently(address, args);
        if (response.status === 401 && address.includes("/_dash-")) {
            // The session has ended: sign in again, and come back here.
            const here = window.location.pathname + window.location.search;
            window.location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
        }
        if (response.status >= 500 && address.includes("_dash-update-component")) {
            notify("callback-failed", "Something went wrong on the server", "Part of this page may be missing. The server's log says why.", "red");
        }
        return response;
    };
})();

/* Where a page is shown from: where it stood when one goes back to it, the panel that its address names, else the top.
   Each step of the history keeps its place. */
(function () {
    "use strict";
    const REST_MS = 100, PATIENCE_MS = 3000;
    const [visit] = performance.getEntriesByType("navigation"), placeIn = (state) => (state || {}).scroll || 0;
    let kept = null, left = visit && visit.type !== "navigate" ? placeIn(window.history.state) : null, visits = 0;

    window.addEventListener("scroll", () => {
        clearTimeout(kept);
        kept = setTimeout(() => window.history.replaceState({...window.history.state, scroll: window.scrollY}, ""), REST_MS);
    }, {passive: true});
    window.addEventListener("popstate", (event) => { left = placeIn(event.state); });
    window.addEventListener("_dashprivate_pushstate", () => { clearTimeout(kept); });

    function panel() {
        const name = decodeURIComponent(window.location.hash.slice(1));
        return name ? document.getElementById(name) : null;
    }

    /* The page may not stand yet, and figures above may still grow. */
    function settle(place, until) {
        const target = place === null ? panel() : null;
        if (target) target.scrollIntoView();
        else if (place !== null) window.scrollTo(0, place);
        const there = target ? Math.abs(target.getBoundingClientRect().top) < window.innerHeight / 2 : place !== null && Math.abs(window.scrollY - place) < 2;
        if (!there && performance.now() < until) requestAnimationFrame(() => settle(place, until));
    }

    window.pathscopeArrive = function () {
        const place = left, first = visits === 0;
        visits += 1;
        left = null;
        if (place !== null || window.location.hash) settle(place, performance.now() + PATIENCE_MS);
        else if (!first) window.scrollTo(0, 0);
    };
})();

window.dash_clientside.shell = {
    /* -> theme.data, mantine.forceColorScheme. Remembered under Mantine's own key. */
    theme: function (clicks, current) {
        const key = "mantine-color-scheme-value";
        const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
        let scheme = current || window.localStorage.getItem(key) || system;
        if (scheme !== "light" && scheme !== "dark") scheme = system;
        if (clicks && current) {
            scheme = current === "dark" ? "light" : "dark";
            window.localStorage.setItem(key, scheme);
        }
        document.documentElement.dataset.agThemeMode = scheme;
        return [scheme, scheme];
    },

    /* After a refused submission: the first field that is wrong. */
    focusFirstError: function (summary) {
        if (summary && summary.props && summary.props.className === "spec-refused") {
            const field = document.querySelector("#spec-form :is(input, textarea)[aria-invalid=true]");
            if (field) field.focus();
        }
    },

    /* A new page: name it, mark its link, go to its place. */
    entered: function (title) {
        if (!title) return;
        document.title = title;
        window.pathscopeArrive();
        for (const link of document.querySelectorAll(".top-bar nav a")) {
            if (link.pathname === window.location.pathname) link.setAttribute("aria-current", "page");
            else link.removeAttribute("aria-current");
        }
    },
};
