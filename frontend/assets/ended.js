/* Says on every page when a run has ended. Ticks tell which runs have news; what it is, REST is asked. */
(function () {
    "use strict";
    window.dash_clientside = window.dash_clientside || {};
    const PAUSE = 1500, FEW = 3, COLOURS = {completed: "teal", failed: "red"};
    const said = new Set(), changed = new Set();
    let waiting = null;

    async function look() {
        waiting = null;
        const ids = [...changed].slice(0, 100);
        changed.clear();
        const opened = document.getElementById("page").dataset.since;  // earlier ends are no news
        const filter = `id=${ids.join(",")} status=completed,failed finished>="${opened}"`;
        try {
            const response = await fetch(`/api/v1/runs?${new URLSearchParams({filter})}`);
            if (response.ok) tell((await response.json()).runs.filter(isNew));
        } catch {
            // The server is away: the notice of the lost connection says so, and the table shows the end later.
        }
    }

    function isNew(run) {
        const key = `${run.id} ${run.finished_at}`, known = said.has(key);
        said.add(key);
        return !known;
    }

    /* A few by themselves; of a sweep that ends all at once, one notice. All in one change: of several, Dash would see the last. */
    function tell(runs) {
        const notices = runs.length > FEW ? [summary(runs)] : runs.map(one);
        if (notices.length) window.dash_clientside.set_props("notifications", {sendNotifications: notices});
    }

    function summary(runs) {
        const ids = runs.map((run) => run.id).join(","), failed = runs.filter((run) => run.status === "failed").length;
        const words = failed ? `${failed} of them failed` : "all are completed";
        return notice(ids, `${runs.length} runs have ended`, words, `/?${new URLSearchParams({filter: `id=${ids}`})}`, failed ? "red" : "teal");
    }

    function one(run) {
        const accuracy = run.last && run.last.test_accuracy !== null ? `, test accuracy ${(100 * run.last.test_accuracy).toFixed(1)} %` : "";
        const words = `“${run.name}”${run.status === "failed" ? `: ${run.reason || "no reason is known"}` : accuracy}`;
        const title = `Run ${run.id} ${run.status === "failed" ? "has failed" : "is completed"}`;
        return notice(`${run.id} ${run.finished_at}`, title, words, `/runs/${run.id}`, COLOURS[run.status]);
    }

    function notice(key, title, words, href, color) {
        const message = {type: "Anchor", namespace: "dash_mantine_components", props: {href, children: words, size: "sm"}};
        return {id: `ended-${key}`, action: "show", title, message, color, autoClose: 15000, withBorder: true};
    }

    window.dash_clientside.ended = {
        /* live.data: notes the runs with news. */
        tick: function (tick) {
            if (!tick || !tick.runs) return;
            tick.runs.forEach((id) => changed.add(id));
            if (changed.size && waiting === null) waiting = setTimeout(look, PAUSE);
        },
    };
})();
