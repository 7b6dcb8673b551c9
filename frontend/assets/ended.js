/* Says on every page when a run has ended. Ticks tell which runs have news; what it is, REST is asked. */
(function () {
    "use strict";
    window.dash_clientside = window.dash_clientside || {};
    const PAUSE = 1500, COLOURS = {completed: "teal", failed: "red"};
    const said = new Set(), changed = new Set();
    let opened = null, waiting = null;

    async function look() {
        waiting = null;
        const ids = [...changed].slice(0, 100);
        changed.clear();
        const filter = `id=${ids.join(",")} status=completed,failed finished>="${opened}"`;
        try {
            const response = await fetch(`/api/v1/runs?${new URLSearchParams({filter})}`);
            if (response.ok) (await response.json()).runs.forEach(say);
        } catch {
            // The server is away: the notice of the lost connection says so, and the table shows the end later.
        }
    }

    function say(run) {
        const key = `${run.id} ${run.finished_at}`;
        if (said.has(key)) return;
        said.add(key);
        const accuracy = run.last && run.last.test_accuracy !== null ? `, test accuracy ${(100 * run.last.test_accuracy).toFixed(1)} %` : "";
        const message = `“${run.name}”${run.status === "failed" ? `: ${run.reason || "no reason is known"}` : accuracy}`;
        window.dash_clientside.set_props("notifications", {sendNotifications: [{
            id: `ended-${key}`, action: "show", title: `Run ${run.id} ${run.status === "failed" ? "has failed" : "is completed"}`, message,
            color: COLOURS[run.status], autoClose: 15000, withBorder: true,
        }]});
    }

    /* When the page was opened, by the server's clock: earlier ends are no news. */
    fetch("/healthz").then((response) => { opened = new Date(response.headers.get("Date")).toISOString(); }, () => {});

    window.dash_clientside.ended = {
        /* live.data: notes the runs with news. */
        tick: function (tick) {
            if (!tick || !tick.runs || opened === null) return;
            tick.runs.forEach((id) => changed.add(id));
            if (changed.size && waiting === null) waiting = setTimeout(look, PAUSE);
        },
    };
})();
