/* What every panel offers beside its figure: files, a link to it, the whole screen, and the numbers as a table. */
(function () {
    "use strict";
    const view = window.pathscope;
    const {page} = view;
    const SHOWN_ROWS = 500;
    const VALUE_SAYS_ALL = ["quantity", "measure", "statistic"];
    const FILES = ["csv", "parquet", "json", "html"];

    const hostOf = (element) => element.closest(".figure-block").querySelector(".figure");
    const plotOf = (host) => host.querySelector(".js-plotly-plot");

    /* Where a figure's files are; one of several runs is chosen by the whole address of its page. */
    function source(host, format) {
        const compared = host.dataset.compared, query = new URLSearchParams(compared ? window.location.search : undefined);
        query.set("format", format);
        return compared ? `/api/v1/compare/figures/${compared}?${query}` : `${view.address(host)}&${query}`;
    }

    const WORDS = {
        csv: ["CSV", "Download the numbers as CSV"],
        svg: ["SVG", "Download the picture as SVG"],
        png: ["PNG", "Download the picture as PNG"],
        link: ["icon-link", "Copy a link to this figure"],
        full: ["icon-enlarge", "Show this panel on the whole screen"],
    };

    function made(name, properties, ...content) {
        const element = Object.assign(document.createElement(name), properties);
        element.append(...content);
        return element;
    }

    function tool([name, [label, words]], figure) {
        const pictured = label.startsWith("icon-"), icon = made("span", {className: `icon ${label}`, ariaHidden: "true"});
        if (pictured) Object.assign(icon.style, {width: "14px", height: "14px"});
        const button = made("button", {type: "button", title: words, ariaLabel: `${words}: ${figure}`}, pictured ? icon : label);
        button.dataset.tool = name;
        return button;
    }

    /* Put its buttons above each figure and the table of its numbers below it. */
    function furnish() {
        for (const block of document.querySelectorAll(".figure-block:not(.is-furnished)")) {
            const name = block.querySelector(".figure").getAttribute("aria-label");
            const told = made("span", {className: "told", role: "status"}), tools = Object.entries(WORDS).map((one) => tool(one, name));
            block.classList.add("is-furnished");
            block.querySelector(".figure-head").append(made("div", {className: "panel-tools"}, told, ...tools));
            const place = made("div", {className: "numbers-table", tabIndex: 0, role: "region", ariaLabel: `Numbers behind: ${name}`});
            block.append(made("details", {className: "explained numbers"}, made("summary", {}, "Numbers"), place));
        }
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

    /* What a file is called: "run1-cross-path-layer4-path", as the server calls it. */
    function nameOf(host) {
        if (host.dataset.compared) return `compared-${host.dataset.compared}`;
        const [path, search] = view.address(host).split("?"), chosen = [...new URLSearchParams(search)];
        const words = chosen.map(([name, value]) => (/^\d+$/.test(value) ? `${name}${value}` : value));
        return [`run${page.place.run}`, path.split("/").pop(), ...words].join("-");
    }

    /* What a picture's title says was chosen: "run 1 (Demo), layer 4, path". */
    function chosenOf(host) {
        const compared = host.dataset.compared, search = compared ? window.location.search : view.address(host).split("?")[1];
        const words = [...new URLSearchParams(search)].map(([name, value]) => (VALUE_SAYS_ALL.includes(name) ? value : `${name} ${value}`).replaceAll("_", "-"));
        const name = document.querySelector("#back-to-run, #run-name");
        const run = compared ? [] : [`run ${page.place.run}${name ? ` “${name.textContent.replace("← ", "")}”` : ""}`];
        return [...run, ...words].join(", ").replaceAll("<", "&lt;");
    }

    /* Drawn here, so no browser is needed on the server; on the page's own background, with a title and a legend, as it
       will stand alone. */
    async function picture(host, format) {
        const plot = plotOf(host);
        if (!plot || !plot.data) return tell(host, "There is no picture to save.");
        const paper = getComputedStyle(document.body).backgroundColor;
        const said = (plot.layout.title || {}).text, legend = Boolean((plot.layout.meta || {}).followed);
        const more = 34 + (said ? 16 : 0) + (legend ? 30 : 0), above = plot._fullLayout._size.t + more, height = plot.offsetHeight + more;
        const text = `${host.getAttribute("aria-label")} · ${chosenOf(host)}${said ? `<br><sub>${said.replaceAll("<br>", " ")}</sub>` : ""}`;
        const layout = {
            ...plot.layout, paper_bgcolor: paper, width: plot.offsetWidth, height,
            title: {text, font: {size: 14}, x: 0.01, xref: "container", y: 1 - 12 / height, yref: "container", yanchor: "top"},
            margin: {...plot.layout.margin, t: above}, showlegend: plot.layout.showlegend || legend,
        };
        const options = {format, width: layout.width, height: layout.height, scale: format === "png" ? 2 : 1};
        save(await window.Plotly.toImage({data: plot.data, layout}, options), `${nameOf(host)}.${format}`);
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

    /* The whole screen shows the panel and, above it, the page's slider and choices. */
    let enlarged = null;
    view.fullHeight = () => Math.max(320, window.innerHeight - 280);

    function wholeScreen(host) {
        if (document.fullscreenElement) return document.exitFullscreen();
        enlarged = host.closest(".panel");
        document.documentElement.requestFullscreen();
    }

    document.addEventListener("fullscreenchange", () => {
        const panel = enlarged, full = Boolean(document.fullscreenElement);
        if (!panel) return;
        if (!full) enlarged = null;
        panel.classList.toggle("is-full", full);
        document.body.classList.toggle("has-full", full);
        for (const plot of panel.querySelectorAll(".js-plotly-plot")) {
            if (!plot.layout) continue;
            plot._height = plot._height || plot.layout.height;
            window.Plotly.relayout(plot, {height: full ? view.fullHeight() : plot._height, autosize: true});
        }
        if (!full) panel.scrollIntoView({block: "nearest"});
    });
    window.addEventListener("_dashprivate_pushstate", () => {
        if (enlarged && !enlarged.isConnected) document.exitFullscreen();
    });

    /* ---- the numbers ---- */

    document.addEventListener("toggle", (event) => {
        if (event.target.matches && event.target.matches("details.numbers, details.paper-numbers") && event.target.open) fill(event.target);
    }, true);
    document.addEventListener("view-refreshed", furnish);
    document.addEventListener("figure-drawn", (event) => {
        furnish();
        const numbers = event.target.closest(".figure-block").querySelector("details.numbers");
        if (numbers && numbers.open) fill(numbers);
    });

    async function fill(details) {
        const place = details.querySelector(".numbers-table"), most = details._all ? "" : `&rows=${SHOWN_ROWS}`;
        const address = details.dataset.source || source(hostOf(details), "table");
        let answer, body;
        try {
            answer = await fetch(address + most);
            body = await answer.json();
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            if (!place.hasChildNodes()) place.replaceChildren("The server does not answer; trying again …");
            setTimeout(() => details.isConnected && details.open && fill(details), view.RETRY_MS);
            return;
        }
        if (!answer.ok) return place.replaceChildren(body.detail);
        const table = document.createElement("table"), head = table.createTHead().insertRow(), rows = table.createTBody();
        const few = body.rows.length < body.total;
        const words = few ? `The first ${body.rows.length} of ${body.total.toLocaleString("en")} rows. ` : `${body.total.toLocaleString("en")} rows. `;
        table.createCaption().append(words, ...(few ? [showAll(details), " "] : []), "Files: ", ...files(address));
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

    function showAll(details) {
        const button = document.createElement("button");
        Object.assign(button, {type: "button", textContent: "Show all"});
        button.addEventListener("click", () => {
            details._all = true;
            fill(details);
        });
        return button;
    }

    const files = (address) => FILES.flatMap((format) => {
        const link = document.createElement("a");
        Object.assign(link, {href: address.replace("format=table", `format=${format}`), download: "", textContent: format});
        return [link, " "];
    });

    function shown(value) {
        if (value === null) return "undefined";
        return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)).toString() : String(value);
    }
})();
