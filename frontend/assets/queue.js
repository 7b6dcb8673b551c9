/* The queue of the workers page: a waiting run is cancelled, or gets another priority, over REST. */
(function () {
    "use strict";

    document.addEventListener("click", async (event) => {
        const button = event.target.closest("button[data-queue-action]");
        if (!button || button.getAttribute("aria-pressed") === "true") return;
        const {queueAction: action, queueRun: run, queuePriority: priority} = button.dataset;
        button.disabled = true;
        try {
            await tell({ids: [Number(run)], action, ...(priority ? {priority} : {})});
        } finally {
            button.disabled = false;
        }
    });

    async function tell(asked) {
        const headers = {"Content-Type": "application/json"}, body = JSON.stringify(asked);
        try {
            const answer = await fetch("/api/v1/runs/bulk", {method: "POST", headers, body});
            if (answer.ok) return window.dash_clientside.set_props("workers-interval", {n_intervals: Date.now()});
            const refused = await answer.json();
            say(refused.title, refused.detail);
        } catch {
            say("The server does not answer", "Nothing was changed; try again in a moment.");
        }
    }

    function say(title, message) {
        window.dash_clientside.set_props("notifications", {sendNotifications: [{
            id: `queue-${Date.now()}`, action: "show", title, message, color: "red", autoClose: 10000, withBorder: true,
        }]});
    }
})();
