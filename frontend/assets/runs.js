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

    /* ---- the address: filter, sort, cursor ---- */

    const SORT = "-created";
    const shown = {query: null, unknown: new Set()};
    const nothing = () => window.dash_clientside.no_update;

    function parse(search) {
        const found = new URLSearchParams(search);
        return {filter: (found.get("filter") || "").trim(), sort: found.get("sort") || SORT, cursor: found.get("cursor")};
    }

    function ask(query) {
        const found = new URLSearchParams();
        if (query.filter) found.set("filter", query.filter);
        if (query.sort !== SORT) found.set("sort", query.sort);
        if (query.cursor) found.set("cursor", query.cursor);
        go(found.toString() ? `/?${found}` : "/");
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
            cellHorizontalPadding: 10,
        });

    const ADDRESS_EVENTS = ["popstate", "_dashprivate_pushstate"];

    /* The server sorts: a click asks for the rising order, then the falling one, then the newest first. */
    components.RunsHeader = (props) => {
        const [, draw] = window.React.useReducer((count) => count + 1, 0);
        window.React.useEffect(() => {
            ADDRESS_EVENTS.forEach((name) => window.addEventListener(name, draw));
            return () => ADDRESS_EVENTS.forEach((name) => window.removeEventListener(name, draw));
        }, []);
        const query = parse(window.location.search), by = props.sortBy;
        const direction = query.sort === by ? "ascending" : query.sort === `-${by}` ? "descending" : "none";
        const next = {none: by, ascending: `-${by}`, descending: SORT}[direction];
        return element("button", {
            type: "button", className: `runs-header runs-header-${direction}`, "aria-label": `${props.displayName}, sort`, "data-sorted": direction,
            tabIndex: -1,  // the header cell around it takes the keyboard
            onClick: () => ask({...query, sort: next, cursor: null}),
        }, props.displayName, element("span", {key: "sign", "aria-hidden": true}, {none: "", ascending: " ↑", descending: " ↓"}[direction]));
    };

    /* Enter opens the run of a row, and sorts by a column. */
    functions.runsHeaderKey = (params) => {
        if (params.event.key !== "Enter") return false;
        const button = params.event.target.closest(".ag-header-cell").querySelector(".runs-header");
        if (button) button.click();
        return Boolean(button);
    };

    functions.runsCellKey = (params) => {
        const {event, colDef, data} = params, opens = event.key === "Enter" && colDef.field === "name";
        if (opens) go(`/runs/${data.id}`);
        return opens;
    };

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

    /* A link that `follow` follows without loading the page anew; it may be opened in another tab as well. */
    const chip = (words, href, follow) => element("a", {
        key: words, className: "run-tag", href,
        onClick: (event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
            event.preventDefault();
            follow(href);
        },
    }, words);

    components.RunTags = (props) =>
        element(
            "span",
            {className: "run-tags"},
            [
                ...(props.data.sweep ? [chip(`sweep ${props.data.sweep}`, `/sweeps/${props.data.sweep}`, go)] : []),
                ...(props.value || "").split(" ").filter(Boolean).map((tag) => {
                    const filter = `tag:"${tag}"`;
                    const show = () => ask({filter, sort: SORT, cursor: null});
                    return chip(tag, `/?${new URLSearchParams({filter})}`, show);
                }),
            ],
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

    /* Dash takes the answer to the newest question alone, so that there is one question at a time: what is heard of
       meanwhile is asked for when the answer has come. */
    const PATIENCE = 5000;
    let askedAt = 0, missed = [];
    function askMissed() {
        const runs = missed;
        missed = [];
        askedAt = Date.now();
        setTimeout(() => window.dash_clientside.set_props("runs-tick", {data: {runs, n: Date.now()}}));
    }

    /* Enter does not wait until nothing has been typed for a while. */
    document.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && event.target.id === "runs-search") window.dash_clientside.runs.search(event.target.value);
    });

    window.dash_clientside.runs = {
        /* url.search -> runs-query.data, runs-search.value */
        read: function (search) {
            const query = parse(search);
            if (JSON.stringify(query) === JSON.stringify(shown.query)) return [nothing(), nothing()];
            Object.assign(shown, {query, unknown: new Set()});
            askedAt = Date.now();
            missed = [];
            return [query, query.filter];
        },

        /* live.data -> runs-tick.data */
        tick: function (tick) {
            if (!tick) return nothing();
            if (Date.now() - askedAt < PATIENCE) {
                missed = missed === null || tick.runs === null ? null : [...new Set([...missed, ...tick.runs])];
                return nothing();
            }
            askedAt = Date.now();
            return tick;
        },

        /* runs-search.value: the filter that was typed goes into the address. */
        search: function (text) {
            const query = parse(window.location.search);
            if ((text || "").trim() !== query.filter) ask({...query, filter: (text || "").trim(), cursor: null});
        },

        /* News -> rowData, runs-search.error. A page replaces the rows; of single runs those that still fit stay in
           their places. One that fits and is new here makes the first page be asked for again, once. */
        merge: function (news, rows, query) {
            if (!news) return [nothing(), nothing()];
            askedAt = 0;
            if (missed === null || missed.length) askMissed();
            if (news.error) return [rows || [], news.error];
            if (news.asked === null || !rows) return [news.asked === null ? news.rows : nothing(), null];
            const fresh = new Map(news.rows.map((run) => [run.id, run])), asked = new Set(news.asked);
            const merged = rows.filter((run) => !asked.has(run.id) || fresh.has(run.id)).map((run) => fresh.get(run.id) || run);
            rows.forEach((run) => fresh.delete(run.id));
            const unseen = [...fresh.keys()].filter((id) => !shown.unknown.has(id));
            unseen.forEach((id) => shown.unknown.add(id));
            if (unseen.length && !query.cursor) {
                askedAt = Date.now();
                window.dash_clientside.set_props("runs-again", {data: Date.now()});
            }
            return [merged, null];
        },

        /* -> runs-count, previous and next disabled */
        pager: function (news, rows) {
            if (news && news.asked === null && !news.error) Object.assign(shown, {matching: news.matching, next: news.next, previous: news.previous});
            if (!rows) return ["", true, true];
            if (news && news.error) return [(rows || []).length ? "The runs of the filter before" : "", true, true];
            const count = (rows || []).length, all = shown.matching === undefined ? count : Math.max(shown.matching, count);
            const text = count === all ? `${all.toLocaleString()} ${all === 1 ? "run" : "runs"}` : `${count} of ${all.toLocaleString()} runs`;
            return [text, !shown.previous, !shown.next];
        },

        turn: function () {
            const id = window.dash_clientside.callback_context.triggered_id;
            if (id) ask({...parse(window.location.search), cursor: id === "runs-next" ? shown.next : shown.previous});
        },

        /* -> runs-empty.hidden, runs-table.hidden, runs-grid.style: as high as its rows, at most as the window. */
        arrange: function (rows, query) {
            const count = rows ? rows.length : 6, none = Boolean(rows) && count === 0;
            const height = `min(max(20rem, calc(100vh - 20rem)), ${Math.max(count, 3) * 46 + 70}px)`;
            const empty = none && !(query && (query.filter || query.cursor));
            return [!empty, empty, {height, width: "100%"}];
        },

        /* -> clone, cancel, delete, tag, compare disabled; the text beside them. */
        buttons: function (selected, rows) {
            const runs = newest(selected, rows);
            const text = runs.length === 0 ? "" : runs.length === 1 ? "1 run selected" : `${runs.length} runs selected`;
            const none = runs.length === 0;
            return [runs.length !== 1, !runs.some((run) => run.can_cancel), !runs.some((run) => run.can_delete), none, !(rows || []).length, text];
        },

        /* -> dialog opened, its text */
        askTags: function (clicks, selected) {
            const count = (selected || []).length;
            return [Boolean(clicks) && count > 0, count === 1 ? `“${selected[0].name}” (run ${selected[0].id})` : `${count} runs`];
        },

        /* The selected runs, or all that fit the filter. */
        compare: function (clicks, selected) {
            if (!clicks) return;
            const runs = (selected || []).map((run) => run.id).sort((a, b) => a - b), filter = parse(window.location.search).filter;
            const found = new URLSearchParams(runs.length ? {runs: runs.join(",")} : filter ? {filter} : {});
            go(found.toString() ? `/compare?${found}` : "/compare");
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
