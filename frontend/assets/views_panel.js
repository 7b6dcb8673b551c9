/* What every panel offers beside its figure: files, a link to it, the whole screen, and the numbers as a table. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page} = view;
    const SHOWN_ROWS = 500;

    const hostOf = (element) => element.closest(".figure-block").querySelector(".figure");
    const plotOf = (host) => host.querySelector(".js-plotly-plot");

    /* Where a figure's files are; one of several runs is chosen by the whole address of its page. */
    function source(host, format) {
        const compared = host.dataset.compared, query = new URLSearchParams(compared ? window.location.search : undefined);
        query.set("format", format);
        return compared ? `/api/v1/compare/figures/${compared}?${query}` : `${view.address(host)}&${query}`;
    }

    const TOOLS = {
        csv: (host) => save(source(host, "csv"), ""),
        svg: (host) => picture(host, "svg"),
        png: (host) => picture(host, "png"),
        link: copyLink,
        full: wholeScreen,
    };

    document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-tool]");
        if (button) TOOLS[button.dataset.tool](hostOf(button), button);
        const option = event.target.closest("[data-option]");
        if (!option) return;
        const value = option.dataset.default !== undefined ? undefined : option.dataset.value;
        view.select({options: {...view.state().options, [option.dataset.option]: value}});
    });

    function save(href, name) {
        const link = document.createElement("a");
        Object.assign(link, {href, download: name});
        link.click();
    }

    /* Drawn here, so no browser is needed on the server; on the page's own background. */
    async function picture(host, format) {
        const plot = plotOf(host);
        if (!plot || !plot.data) return tell(host, "There is no picture to save.");
        const paper = getComputedStyle(document.body).backgroundColor;
        const layout = {...plot.layout, paper_bgcolor: paper, width: plot.offsetWidth, height: plot.offsetHeight};
        const options = {format, width: plot.offsetWidth, height: plot.offsetHeight, scale: format === "png" ? 2 : 1};
        save(await window.Plotly.toImage({data: plot.data, layout}, options), `${host.dataset.compared ? "compared" : `run${page.place.run}`}-${host.id}.${format}`);
    }

    async function copyLink(host) {
        const link = `${window.location.origin}${window.location.pathname}${window.location.search}#${host.closest(".panel").id}`;
        try {
            await navigator.clipboard.writeText(link);
            tell(host, "The link is copied.");
        } catch {
            window.prompt("The link to this figure", link);
        }
    }

    function tell(host, words) {
        host.closest(".figure-block").querySelector(".told").textContent = words;
    }

    view.fullHeight = () => Math.max(320, window.innerHeight - 190);

    function wholeScreen(host) {
        if (document.fullscreenElement) document.exitFullscreen();
        else host.closest(".panel").requestFullscreen();
    }

    let enlarged = null;
    document.addEventListener("fullscreenchange", () => {
        const panel = document.fullscreenElement || enlarged;
        enlarged = document.fullscreenElement;
        for (const plot of panel ? panel.querySelectorAll(".js-plotly-plot") : []) {
            if (!plot.layout) continue;
            plot._height = plot._height || plot.layout.height;
            window.Plotly.relayout(plot, {height: document.fullscreenElement ? view.fullHeight() : plot._height, autosize: true});
        }
    });

    /* ---- the numbers ---- */

    document.addEventListener("toggle", (event) => {
        if (event.target.matches && event.target.matches("details.numbers") && event.target.open) fill(event.target);
    }, true);
    document.addEventListener("figure-drawn", (event) => {
        const numbers = event.target.closest(".figure-block").querySelector("details.numbers");
        if (numbers && numbers.open) fill(numbers);
    });

    async function fill(details) {
        const place = details.querySelector(".numbers-table"), answer = await fetch(`${source(hostOf(details), "table")}&rows=${SHOWN_ROWS}`);
        const body = await answer.json();
        if (!answer.ok) return place.replaceChildren(body.detail);
        const table = document.createElement("table"), head = table.createTHead().insertRow(), rows = table.createTBody();
        const words = body.rows.length < body.total ? `The first ${body.rows.length} of ${body.total.toLocaleString("en")} rows; the file has all.` : `${body.total} rows`;
        table.createCaption().textContent = words;
        for (const column of body.columns) {
            const cell = document.createElement("th");
            Object.assign(cell, {scope: "col", textContent: column.replaceAll("_", " ")});
            head.append(cell);
        }
        for (const values of body.rows) {
            const row = rows.insertRow();
            for (const value of values) row.insertCell().textContent = shown(value);
        }
        place.replaceChildren(table);
    }

    function shown(value) {
        if (value === null) return "undefined";
        return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)).toString() : String(value);
    }
})();
