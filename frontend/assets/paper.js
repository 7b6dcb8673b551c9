/* The paper page: which figure its address names, and which ticks concern it. */
(function () {
    "use strict";
    window.dash_clientside = window.dash_clientside || {};
    const PAUSE = 2000;
    let waiting = null, asked = 0;

    window.dash_clientside.paper = {
        /* url.search -> paper-choice.data */
        read: function (search) {
            const found = new URLSearchParams(search);
            return {figure: found.get("figure") || "1", size: found.get("size") || "small"};
        },

        /* A tick that concerns a run of the figure makes the page ask again, at most every two seconds. */
        tick: function (tick, runs) {
            const nothing = window.dash_clientside.no_update;
            const concerned = tick && runs && (tick.runs === null || tick.runs.some((id) => runs.includes(id)));
            if (!concerned || waiting !== null) return nothing;
            waiting = setTimeout(() => {
                waiting = null;
                asked = Date.now();
                if (document.getElementById("paper-charts")) window.dash_clientside.set_props("paper-tick", {data: asked});
            }, Math.max(0, asked + PAUSE - Date.now()));
            return nothing;
        },
    };

    /* Links within a page change its address without loading it anew. */
    document.addEventListener("click", (event) => {
        const link = event.target.closest("a.paper-figure, a.paper-size, a.saved-filter, .filter-bar a");
        if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        window.history.pushState({}, "", link.href);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    });
})();
