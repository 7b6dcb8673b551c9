/* Holds a WebSocket to /api/v1/live and hands each tick to Dash as the store "live".
   A tick tells that there is news, never what: callbacks fetch it. After an interruption anything may have changed. */
(function () {
    "use strict";
    const FIRST_PAUSE = 250, LONGEST_PAUSE = 5000, REPEATED_FOR = 2000, SILENCE_BEFORE_NOTICE = 1500;
    const recent = new Map();
    let counter = 0, everythingSince = -Infinity, pause = FIRST_PAUSE, interrupted = false, noticeTimer = null;

    function tick(ids) {
        const now = Date.now();
        for (const [id, since] of recent) if (now - since > REPEATED_FOR) recent.delete(id);
        if (ids === null) everythingSince = now;
        else ids.forEach((id) => recent.set(id, now));
        counter += 1;
        const runs = now - everythingSince <= REPEATED_FOR ? null : [...recent.keys()];
        window.dash_clientside.set_props("live", {data: {runs, n: counter}});
    }

    function notice(lost) {
        clearTimeout(noticeTimer);
        const show = () => window.dash_clientside.set_props("connection-lost", {hidden: !lost});
        if (lost) noticeTimer = setTimeout(show, SILENCE_BEFORE_NOTICE);
        else show();
    }

    /* After an interruption everything is asked for anyway. */
    function address() {
        const scheme = window.location.protocol === "https:" ? "wss" : "ws";
        const since = interrupted ? "" : `?since=${encodeURIComponent(document.getElementById("page").dataset.since)}`;
        return `${scheme}://${window.location.host}/api/v1/live${since}`;
    }

    function connect() {
        const socket = new WebSocket(address());
        socket.onopen = () => {
            pause = FIRST_PAUSE;
            notice(false);
            if (interrupted) {
                tick(null);
                document.dispatchEvent(new Event("server-back"));
            }
            interrupted = false;
        };
        socket.onmessage = (message) => {
            const runs = JSON.parse(message.data).runs;
            if (runs === null || runs.length) tick(runs);
        };
        socket.onclose = () => {
            if (!interrupted) notice(true);
            interrupted = true;
            setTimeout(connect, pause * (0.75 + Math.random() / 2));
            pause = Math.min(pause * 2, LONGEST_PAUSE);
        };
    }

    function start() {
        const ready = window.dash_clientside && window.dash_clientside.set_props && document.getElementById("page");
        if (ready) connect();
        else setTimeout(start, 50);
    }

    start();
})();
