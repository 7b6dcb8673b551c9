/* What the run page does alone: its window is named as the run is, and links to the log open it. */
(function () {
    "use strict";
    const LOG = "run-log-details";
    window.dash_clientside = window.dash_clientside || {};

    window.dash_clientside.run_page = {
        /* run-name.children, place: the run has another name. */
        named: function (name, place) {
            if (name && place) document.title = `${name} · run ${place.run} · Pathscope`;
        },
    };

    function openLog() {
        const log = document.getElementById(LOG);
        if (!log) return;
        log.open = true;
        log.scrollIntoView();
        log.querySelector("summary").focus({preventScroll: true});
    }

    document.addEventListener("click", (event) => {
        const link = event.target.closest(`a[href$="#${LOG}"]`);
        if (!link || link.pathname !== window.location.pathname || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        openLog();
    });
})();
