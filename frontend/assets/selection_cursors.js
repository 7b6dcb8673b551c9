/* Moves the lines and frames of a drawn figure by themselves. Plotly would draw the whole figure again, 30 to 80 ms each;
   moved like this, all figures of a page follow the slider at once. What Plotly knows of the shapes is kept in step,
   so that a zoom or a redraw finds them where they are. */
(function () {
    "use strict";
    const PLACES = ["x0", "x1", "y0", "y1"];

    /* From a coordinate of the shape to a pixel, as Plotly's own shapes do it. */
    function pixels(full, reference, upright) {
        const size = full._size;
        if (reference === "paper") return upright ? (v) => size.t + size.h * (1 - v) : (v) => size.l + size.w * v;
        const [id, domain] = reference.split(" ");
        const axis = full[`${id[0]}axis${id.slice(1)}`];
        if (!axis || !axis.r2p) return null;
        if (domain) return (v) => axis._offset + axis._length * (upright ? 1 - v : v);
        return axis.type === "linear" ? (v) => axis._offset + axis.r2p(v) : null;
    }

    function outline(full, shape) {
        const x = pixels(full, shape.xref, false), y = pixels(full, shape.yref, true);
        if (!x || !y) return null;
        const [x0, x1, y0, y1] = [x(shape.x0), x(shape.x1), y(shape.y0), y(shape.y1)];
        if (shape.type === "line") return `M${x0},${y0}L${x1},${y1}`;
        return shape.type === "rect" ? `M${x0},${y0}H${x1}V${y1}H${x0}Z` : null;
    }

    /* Move shape n to these places; false where only Plotly can. */
    function moveShape(figure, n, where) {
        const full = figure._fullLayout, shape = full.shapes[n];
        if (!shape || !shape.visible || where.visible === false) return false;
        const drawn = figure.querySelectorAll(`.shapelayer path[data-index="${n}"]`);
        const change = Object.fromEntries(PLACES.filter((name) => name in where).map((name) => [name, where[name]]));
        const path = drawn.length === 1 ? outline(full, {...shape, ...change}) : null;
        if (path === null) return false;
        drawn[0].setAttribute("d", path);
        Object.assign(shape, change);
        Object.assign(figure.layout.shapes[n], change);
        return true;
    }

    window.pathscope.moveShape = moveShape;
})();
