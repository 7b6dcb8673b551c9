/* Light or dark as the dashboard was left; without a choice, as the system has it. */
(function () {
    "use strict";
    const scheme = window.localStorage.getItem("mantine-color-scheme-value");
    if (scheme === "light" || scheme === "dark") document.documentElement.style.colorScheme = scheme;
})();
