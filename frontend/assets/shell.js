/* Clientside callbacks of the shell: colour scheme, and what happens when a page is entered. */
window.dash_clientside = window.dash_clientside || {};

/* A callback that fails on the server would only leave a line in the console: say it. */
(function () {
    "use strict";
    const ask = window.fetch.bind(window);
    window.fetch = async function (...args) {
        const response = await ask(...args);
        const address = args[0] instanceof Request ? args[0].url : String(args[0]);
        if (response.status === 401 && address.includes("/_dash-")) {
            // The session has ended: sign in again, and come back here.
            const here = window.location.pathname + window.location.search;
            window.location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
        }
        if (response.status >= 500 && address.includes("_dash-update-component")) {
            const said = {
                id: "callback-failed",
                action: "show",
                title: "Something went wrong on the server",
                message: "Part of this page may be missing. The server's log says why.",
                color: "red",
                autoClose: 10000,
            };
            window.dash_clientside.set_props("notifications", {sendNotifications: [said]});
        }
        return response;
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

    /* A new page: name it, mark its link, go to the top. */
    entered: function (title) {
        if (!title) return;
        document.title = title;
        window.scrollTo(0, 0);
        for (const link of document.querySelectorAll(".top-bar nav a")) {
            if (link.pathname === window.location.pathname) link.setAttribute("aria-current", "page");
            else link.removeAttribute("aria-current");
        }
    },
};
