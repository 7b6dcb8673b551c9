/* The numbers behind a chart of the paper page, asked for when they are opened. */
(function () {
    "use strict";
    const SHOWN_ROWS = 500;

    document.addEventListener("toggle", (event) => {
        if (event.target.matches && event.target.matches("details.paper-numbers") && event.target.open) fill(event.target);
    }, true);

    async function fill(details) {
        const answer = await fetch(`${details.dataset.source}&rows=${SHOWN_ROWS}`), body = await answer.json();
        const place = details.querySelector(".numbers-table");
        if (!answer.ok) return place.replaceChildren(body.detail);
        const table = document.createElement("table"), head = table.createTHead().insertRow(), rows = table.createTBody();
        const part = body.rows.length < body.total;
        table.createCaption().textContent = part ? `The first ${body.rows.length} of ${body.total.toLocaleString("en")} rows; the CSV has all.` : `${body.total} rows`;
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
