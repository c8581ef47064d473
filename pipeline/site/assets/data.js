"use strict";
// The distribution of a feature in the newest table, and in an earlier one beside it.

// The shares of the values up to each edge of either table.
function drawNumbers(place, feature, tables) {
  const edges = [...new Set(tables.flatMap(table => table.edges))].sort((a, b) => a - b);
  const columns = tables.map(table => {
    const shares = new Map(table.edges.map((edge, i) => [edge, table.shares[i]]));
    return edges.map(edge => shares.get(edge) ?? null);
  });
  drawShares(place, `${feature}: share of the rows up to a value`, tables, edges, columns, {
    axis: {size: 36, values: (plot, splits) => splits.map(Site.number)},
  });
}

function drawCategories(place, feature, tables) {
  const categories = [...new Set(tables.flatMap(table => table.categories))];
  const columns = tables.map(table => {
    const shares = new Map(table.categories.map((category, i) => [category, table.shares[i]]));
    return categories.map(category => shares.get(category) ?? 0);
  });
  const places = categories.map((_, i) => i);
  const width = tables.length > 1 ? 0.35 : 0.6;
  drawShares(place, `${feature}: share of the rows`, tables, places, columns, {
    names: categories,
    range: [-0.6, categories.length - 0.4],
    axis: {
      size: 90,
      rotate: -30,
      splits: () => places,
      values: () => categories.map(category => category.slice(0, 16)),
    },
    paths: s => uPlot.paths.bars({size: [width, 60], align: tables.length > 1 ? (s ? 1 : -1) : 0}),
  });
}

function drawShares(place, title, tables, xs, columns, {axis, paths, names, range}) {
  const percent = value => (value === null ? "–" : `${(100 * value).toFixed(1)} %`);
  const colour = ["first", "second"];
  new Chart(place, {
    title,
    height: 300,
    data: [xs, ...columns],
    describe: i =>
      `${names ? names[i] : Site.number(xs[i])}: ${tables.map((table, s) => `${table.title} ${percent(columns[s][i])}`).join("; ")}`,
    options: colours => ({
      scales: {
        x: {time: false, ...(range ? {range} : {})},
        y: {range: [0, paths ? null : 1].map((end, i) => end ?? Math.max(...columns.flat()) * 1.1)},
      },
      axes: [
        Chart.axis(colours, axis),
        Chart.axis(colours, {
          size: 56,
          values: (plot, splits) => splits.map(split => `${Math.round(100 * split)} %`),
        }),
      ],
      series: [
        {
          label: "value",
          value: (plot, value) =>
            value === null ? "–" : names ? names[value] : Site.number(value),
        },
        ...tables.map((table, s) => ({
          label: table.title,
          stroke: colours[colour[s]],
          fill: paths ? `${colours[colour[s]]}66` : undefined,
          width: 2,
          dash: s ? [8, 5] : [],
          spanGaps: true,
          points: {show: !paths},
          paths: paths?.(s),
          value: (plot, value) => percent(value),
        })),
      ],
    }),
  });
}

Site.run("distributions", async place => {
  const tables = await Site.load(`${place.dataset.slug}/profile`);
  const newest = tables[tables.length - 1];
  const figure = Site.make("figure");
  const feature = Site.make(
    "select",
    {},
    ...newest.features.map(([name]) => Site.make("option", {value: name}, name)),
  );
  const earlier = Site.make(
    "select",
    {},
    ...tables
      .slice(0, -1)
      .reverse()
      .map(table => Site.make("option", {value: table.title}, table.title)),
  );
  const draw = () => {
    const before = tables.slice(0, -1).find(table => table.title === earlier.value);
    const shown = [newest, before]
      .filter(Boolean)
      .map(table => ({title: table.title, ...new Map(table.features).get(feature.value)}))
      .filter(table => table.shares);
    const isCategory = Boolean(shown[0].categories);
    const same = shown.filter(table => Boolean(table.categories) === isCategory);
    (isCategory ? drawCategories : drawNumbers)(figure, feature.value, same);
  };
  feature.addEventListener("change", draw);
  earlier.addEventListener("change", draw);
  place.replaceChildren(
    Site.make(
      "div",
      {class: "controls"},
      Site.make("label", {}, "Feature", feature),
      tables.length > 1 ? Site.make("label", {}, "Compared with", earlier) : null,
    ),
    figure,
  );
  draw();
});
