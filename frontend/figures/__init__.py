"""Charts: pure functions from arrays to Plotly figures, a module per family. They query nothing.

Every figure over training has the recording t on its x axis. The shapes named "cursor" lie at the selected recording,
those named "row" around the selected row; `layout.meta` and `trace.meta` say what a click selects. So the page's script
can move the ones and answer the other without asking the server (`assets/selection_drawing.js`).
"""
