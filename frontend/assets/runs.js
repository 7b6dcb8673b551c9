/* The table of runs: how cells are drawn, and the callbacks that need no server. */
(function () {
    "use strict";
    const element = (...args) => window.React.createElement(...args);
    const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
    const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
    window.dash_clientside = window.dash_clientside || {};

    function go(href) {
        window.history.pushState({}, "", href);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    }

    functions.runShare = (share) => (share === null || share === undefined ? "" : `${(100 * share).toFixed(1)} %`);

    functions.runTime = (text) =>
        text ? new Date(text).toLocaleString([], {day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23"}) : "";

    functions.runSeconds = (run) => {
        if (!run || !run.started_at) return null;
        const end = run.finished_at ? Date.parse(run.finished_at) : Date.now();
        return Math.max(0, Math.round((end - Date.parse(run.started_at)) / 1000));
    };

    functions.runDuration = (seconds) => {
        if (seconds === null || seconds === undefined) return "";
        const units = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
        for (const [size, unit, lower, lowerUnit] of units) {
            if (seconds < size) continue;
            const rest = Math.floor((seconds % size) / lower);
            return `${Math.floor(seconds / size)} ${unit}` + (rest ? ` ${rest} ${lowerUnit}` : "");
        }
        return `${seconds} s`;
    };

    functions.runsTheme = (theme, agGrid) =>
        agGrid.themeQuartz.withPart(agGrid.colorSchemeVariable).withParams({
            backgroundColor: "var(--mantine-color-body)",
            foregroundColor: "var(--mantine-color-text)",
            accentColor: "var(--mantine-primary-color-filled)",
            borderColor: "var(--mantine-color-default-border)",
            fontFamily: "var(--mantine-font-family)",
            fontSize: 14,
            cellHorizontalPadding: 12,
        });

    components.RunStatus = (props) =>
        element("span", {className: `status status-${props.data.status}`}, [
            element("span", {key: "icon", className: `icon icon-${props.data.status}`, "aria-hidden": true}),
            props.value,
        ]);

    components.RunLink = (props) =>
        element(
            "a",
            {
                href: `/runs/${props.data.id}`,
                className: "run-link",
                onClick: (event) => {
                    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
                    event.preventDefault();
                    go(`/runs/${props.data.id}`);
                },
            },
            props.value,
        );

    components.RunTags = (props) =>
        element(
            "span",
            {className: "run-tags"},
            (props.value || "").split(" ").filter(Boolean).map((tag) => element("span", {key: tag, className: "run-tag"}, tag)),
        );

    components.RunProgress = (props) =>
        element("div", {className: `run-progress run-progress-${props.data.status}`}, [
            element("progress", {key: "bar", max: 1, value: props.data.share, "aria-label": "Progress"}),
            element("span", {key: "text", className: "run-progress-text", title: props.data.progress}, props.data.progress),
        ]);

    const newest = (selected, rows) => {
        const ids = new Set((selected || []).map((run) => run.id));
        return (rows || []).filter((run) => ids.has(run.id));
    };

    window.dash_clientside.runs = {
        /* News -> rowData: known rows in their places, new ones first. */
        merge: function (news, rows) {
            if (!news) return window.dash_clientside.no_update;
            if (news.all || !rows) return news.rows;
            const fresh = new Map(news.rows.map((run) => [run.id, run]));
            const merged = rows.map((run) => fresh.get(run.id) || run);
            rows.forEach((run) => fresh.delete(run.id));
            return [...[...fresh.values()].sort((a, b) => b.id - a.id), ...merged];
        },

        /* -> runs-empty.hidden, runs-table.hidden, runs-grid.style: as high as its rows, at most as the window. */
        arrange: function (rows) {
            const count = rows ? rows.length : 6;
            const height = `min(max(20rem, calc(100vh - 12rem)), ${count * 46 + 70}px)`;
            return [!rows || count > 0, Boolean(rows) && count === 0, {height, width: "100%"}];
        },

        /* -> clone, cancel, delete disabled; the text beside them. */
        buttons: function (selected, rows) {
            const runs = newest(selected, rows);
            const text = runs.length === 0 ? "" : runs.length === 1 ? "1 run selected" : `${runs.length} runs selected`;
            return [runs.length !== 1, !runs.some((run) => run.can_cancel), !runs.some((run) => run.can_delete), text];
        },

        search: (text, options) => ({...options, quickFilterText: text || ""}),

        /* Status -> filterModel; what the columns' own menus filter stays. */
        filter: function (status, model) {
            const {status_text: _, ...others} = model || {};
            // "cancelling" is a cancelled run in the making.
            return status ? {...others, status_text: {filterType: "text", type: "startsWith", filter: status.slice(0, 6)}} : others;
        },

        /* -> dialog opened, its text. Both of its buttons close it. */
        askDelete: function (ask, keep, confirm, selected, rows) {
            if (window.dash_clientside.callback_context.triggered_id !== "runs-delete") {
                return [false, window.dash_clientside.no_update];
            }
            const names = newest(selected, rows).filter((run) => run.can_delete).map((run) => `“${run.name}” (run ${run.id})`);
            const shown = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
            const what = names.length === 1 ? "its recordings and files" : "their recordings and files";
            return [true, `This deletes ${shown.join(", ")} with ${what}. It cannot be undone.`];
        },

        clone: function (clicks, selected) {
            if (clicks && selected && selected.length === 1) go(`/new?clone=${selected[0].id}`);
        },
    };
})();
