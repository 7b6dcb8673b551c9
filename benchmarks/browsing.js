/* Put into every page that is measured. Times are milliseconds since the page's navigation began.
   Only what lies in the window counts as painted: nobody sees the rest. */
(() => {
    const bench = window.bench = {drawn: {}, news: [], painted: 0, began: 0, changed: 0, waiting: 0};
    const inWindow = (element) => {
        const box = element.getBoundingClientRect();
        return box.height > 0 && box.bottom > 0 && box.top < window.innerHeight;
    };
    const afterPaint = (call) => requestAnimationFrame(() => setTimeout(() => call(performance.now())));
    const PARTS = ".figure .plot, .figure .dash-graph, #film-strip, #followed, #partner-picture, #runs-grid";

    new MutationObserver((list) => {
        for (const {target} of list) {
            const element = target.nodeType === 1 ? target : target.parentElement;
            if (!element || element.closest(".hoverlayer") || element.closest(".modebar-container")) continue;
            const part = element.closest(PARTS);
            if (!part || !inWindow(part)) continue;
            bench.changed = performance.now();
            return afterPaint((at) => { bench.painted = at; });
        }
    }).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});

    const fetch = window.fetch;
    window.fetch = async (...request) => {
        bench.waiting += 1;
        try {
            return await fetch(...request);
        } finally {
            bench.waiting -= 1;
        }
    };
    document.addEventListener("mousedown", () => { bench.began = performance.now(); }, true);
    document.addEventListener("figure-drawn", ({target}) => {
        const plot = target.querySelector(".plot"), trace = (plot && plot.data[0]) || {}, x = trace.x || [];
        const newest = x.length ? Number(x[x.length - 1]) : null;
        const seen = inWindow(target);
        afterPaint((at) => {
            bench.drawn[target.id] ??= at;
            bench.news.push({id: target.id, newest, seen, at: performance.timeOrigin + at});
        });
    });

    bench.visible = () => [...document.querySelectorAll(".figure[data-view]")].filter(inWindow).map((one) => one.id);
    /* When all figures in the window were painted for the first time; null while one is not. */
    bench.ready = () => {
        const shown = bench.visible().filter((id) => !document.querySelector(`#${id} .nothing`).textContent);
        const times = shown.map((id) => bench.drawn[id]);
        return times.length && times.every(Boolean) ? Math.max(...times) : null;
    };
    /* Milliseconds from the click to the last paint, once nothing has changed for so long. */
    bench.settled = (quiet) => new Promise((resolve) => {
        const look = () => {
            const still = performance.now() - Math.max(bench.changed, bench.began);
            if (still < quiet || bench.waiting) setTimeout(look, 20);
            else resolve(Math.max(0, bench.painted - bench.began));
        };
        look();
    });
    /* Step through the recordings as fast as all panels follow; how many a second. */
    bench.slide = async (steps) => {
        const frame = () => new Promise(requestAnimationFrame);
        const follows = (t) => [...document.querySelectorAll(".figure[data-view] .js-plotly-plot")].filter(inWindow).every((plot) =>
            !plot._moving && plot.layout.shapes.every((shape) => shape.name !== "cursor" || shape.visible === false || shape.x0 === t));
        const began = performance.now();
        for (let t = 1; t <= steps; t += 1) {
            document.getElementById("step-on").click();
            const until = performance.now() + 5000;
            do await frame(); while (!follows(t) && performance.now() < until);
            if (!follows(t)) throw new Error(`a panel did not follow to recording ${t}`);
            await frame();
        }
        return steps * 1000 / (performance.now() - began);
    };
})();
