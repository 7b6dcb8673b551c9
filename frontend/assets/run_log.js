/* The log of a run's trainer: new lines each second while it is open, filtered as one types, kept at its end. */
(function () {
    "use strict";
    const EVERY_MS = 1000, AT_ONCE = 1000, SHOWN = 5000;
    const byId = (id) => document.getElementById(id);
    let run = null, lines = [], last = 0, asking = false;

    function show() {
        const text = byId("run-log"), follow = byId("run-log-follow");
        if (!text) return;
        const wanted = (byId("run-log-search")?.value || "").toLowerCase();
        const found = wanted ? lines.filter((line) => line.toLowerCase().includes(wanted)) : lines;
        const shown = found.slice(-SHOWN);
        text.textContent = shown.join("\n") || (wanted && lines.length ? "No line holds that." : "The trainer has not printed anything.");
        const older = shown.length < found.length ? `, the last ${SHOWN.toLocaleString("en")} are shown` : "";
        byId("run-log-count").textContent = wanted
            ? `${found.length.toLocaleString("en")} of ${lines.length.toLocaleString("en")} lines${older}`
            : `${lines.length.toLocaleString("en")} lines${older}`;
        if (follow && follow.checked) text.scrollTop = text.scrollHeight;
    }

    async function look() {
        const details = byId("run-log-details");
        if (!details || !details.open || asking) return;
        const text = byId("run-log");
        const entered = run !== details.dataset.run || !text.textContent;
        if (run !== details.dataset.run) [run, lines, last] = [details.dataset.run, [], 0];
        asking = true;
        try {
            const answer = await fetch(`/api/v1/runs/${run}/log?after=${last}&limit=${AT_ONCE}`);
            const news = answer.ok ? await answer.json() : [];
            if (run !== details.dataset.run) return;
            for (const line of news) lines.push(line.text);
            if (news.length) last = news[news.length - 1].number;
            if (news.length || entered) show();
            if (news.length === AT_ONCE) setTimeout(look, 0);
        } catch {
            /* The server is away, which the page says elsewhere; the next look asks again. */
        } finally {
            asking = false;
        }
    }

    setInterval(look, EVERY_MS);
    document.addEventListener("toggle", (event) => event.target.id === "run-log-details" && look(), true);
    document.addEventListener("input", (event) => event.target.id === "run-log-search" && show());
    document.addEventListener("change", (event) => event.target.id === "run-log-follow" && show());
})();
