/* Clientside callbacks of the shell: colour scheme, and what happens when a page is entered. */
window.dash_clientside = window.dash_clientside || {};
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
