/* Two scripts, larger than all others together, that a page can stand without: plotly.js, and the table of runs. Each is
   asked for at once where the page needs it, else when there is time (frontend/scripts.py). */
(function () {
    "use strict";
    const address = (name) => document.querySelector(`meta[name=${name}-script]`).content;
    const atRuns = window.location.pathname === "/", LATER_MS = 2500, RETRY_MS = 2000;
    const {createElement, lazy, Suspense} = window.React;

    /* Fulfilled once the script has run: while the server is away it is asked for again and again. */
    const load = (src) => new Promise((resolve) => {
        const ask = () => {
            const script = document.createElement("script");
            const again = () => {
                script.remove();
                setTimeout(ask, RETRY_MS);
            };
            Object.assign(script, {src, onload: resolve, onerror: again});
            document.head.append(script);
        };
        ask();
    });
    const whenThereIsTime = (call) => window.addEventListener("load", () => setTimeout(call, LATER_MS));

    /* ---- plotly.js ---- */

    const plot = () => window.Plotly || load(address("plotly")).then(() => document.dispatchEvent(new Event("plotly-loaded")));
    window._dashPlotlyJSURL = address("plotly");  // where Dash's own graphs look if they come first
    if (atRuns) whenThereIsTime(plot);
    else plot();

    /* ---- the table: this stands in its place until it is loaded ---- */

    let loading = null, loaded = false;
    const grid = () => (loading ??= load(address("grid")).then(() => {
        const real = window.dash_ag_grid;
        window.dash_ag_grid = {...real, AgGrid};
        loaded = true;
        return {default: real.AgGrid};
    }));
    const Later = lazy(grid);
    const AgGrid = (props) => createElement(Suspense, {fallback: null}, createElement(Later, props));
    Object.assign(AgGrid, {dashRenderType: true, dashPersistence: {persisted_props: ["selectedRows"], persistence_type: "local"}});
    // Dash keeps callbacks of the table back until this is fulfilled.
    Object.defineProperty(AgGrid, "_dashprivate_isLazyComponentReady", {get: () => (loaded ? undefined : grid())});
    window.dash_ag_grid = {AgGrid};
    if (atRuns) grid();
    else whenThereIsTime(grid);
})();
