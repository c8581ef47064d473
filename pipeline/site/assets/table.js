"use strict";
// Tables of any length: sorted by a column, and one page of rows at a time.

class PagedTable {
  // A column: {title, value: what its rows are sorted by, cell: what is shown (by default the value), numeric, header, wide}.
  constructor(caption, {size = 50, empty = "There is nothing to show."} = {}) {
    Object.assign(this, {
      size,
      empty,
      columns: [],
      rows: [],
      sorted: [],
      first: 0,
      by: null,
      descending: false,
    });
    this.head = Site.make("tr");
    this.body = Site.make("tbody");
    this.status = Site.make("p", {role: "status", class: "soft"});
    this.previous = this.button("Previous", -1);
    this.next = this.button("Next", 1);
    const table = Site.make(
      "table",
      {},
      Site.make("caption", {}, caption),
      Site.make("thead", {}, this.head),
      this.body,
    );
    const region = Site.make(
      "div",
      {class: "scroll", role: "group", tabindex: 0, "aria-label": caption},
      table,
    );
    this.node = Site.make(
      "div",
      {},
      region,
      Site.make("div", {class: "pager"}, this.previous, this.next, this.status),
    );
  }

  button(text, direction) {
    const button = Site.make(
      "button",
      {type: "button"},
      text,
      Site.make("span", {class: "hidden"}, " rows"),
    );
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") this.turn(direction);
    });
    return button;
  }

  turn(direction) {
    this.first += direction * this.size;
    this.draw();
  }

  // Show rows; the order by a column stays, if there is one of that title.
  show(columns, rows) {
    const title = this.by?.title;
    this.columns = columns;
    this.rows = rows;
    this.by = columns.find(column => column.title === title) ?? null;
    this.sort();
  }

  sortBy(column) {
    this.descending = this.by === column ? !this.descending : Boolean(column.numeric);
    this.by = column;
    this.sort();
  }

  sort() {
    this.sorted = [...this.rows];
    if (this.by) {
      const direction = this.descending ? -1 : 1;
      const keys = new Map(this.rows.map(row => [row, PagedTable.key(this.by, row)]));
      this.sorted.sort((one, other) => {
        const [a, b] = [keys.get(one), keys.get(other)];
        if (a === null || b === null) return (a === null) - (b === null); // what is missing comes last
        return a < b ? -direction : a > b ? direction : 0;
      });
    }
    this.first = 0;
    this.draw();
  }

  static key(column, row) {
    const value = column.value(row);
    if (value === null || value === undefined || value === "") return null;
    if (!column.numeric) return String(value).toLowerCase();
    return Number.isNaN(Number(value)) ? null : Number(value);
  }

  draw() {
    this.drawHead();
    const page = this.sorted.slice(this.first, this.first + this.size);
    const rows = page.map(row =>
      Site.make("tr", {}, ...this.columns.map(column => PagedTable.cell(column, row))),
    );
    if (!rows.length)
      rows.push(Site.make("tr", {}, Site.make("td", {colspan: this.columns.length}, this.empty)));
    this.body.replaceChildren(...rows);
    const count = this.sorted.length;
    const last = Math.min(this.first + this.size, count);
    this.previous.setAttribute("aria-disabled", this.first === 0);
    this.next.setAttribute("aria-disabled", last >= count);
    this.previous.hidden = this.next.hidden = count <= this.size;
    this.status.textContent = count
      ? `Rows ${(this.first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${count.toLocaleString("en")}`
      : "";
  }

  drawHead() {
    const focused = document.activeElement?.dataset?.column;
    const heads = this.columns.map(column => {
      const isSorted = column === this.by;
      const order = isSorted ? (this.descending ? "descending" : "ascending") : null;
      const mark = isSorted ? (this.descending ? " ▼" : " ▲") : "";
      const button = Site.make(
        "button",
        {type: "button", "data-column": column.title},
        column.title,
        Site.make("span", {"aria-hidden": "true"}, mark),
      );
      button.addEventListener("click", () => this.sortBy(column));
      const content = column.value ? button : column.title;
      return Site.make(
        "th",
        {scope: "col", class: column.numeric ? "number" : null, "aria-sort": order},
        content,
      );
    });
    this.head.replaceChildren(...heads);
    if (focused) this.head.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  }

  static cell(column, row) {
    const content = column.cell
      ? column.cell(row)
      : column.numeric
        ? Site.number(column.value(row))
        : column.value(row);
    const kind = column.numeric ? "number" : column.wide ? "text" : null;
    const attributes = column.header ? {scope: "row", class: kind} : {class: kind};
    return Site.make(column.header ? "th" : "td", attributes, content ?? "–");
  }
}

// A plain table of a few rows: heads are texts, numeric ones begin with #; the first cell of a row is its header.
function plainTable(caption, heads, rows, {captionIsHeading = false} = {}) {
  const numeric = heads.map(head => head.startsWith("#"));
  const head = heads.map((text, i) =>
    Site.make("th", {scope: "col", class: numeric[i] ? "number" : null}, text.replace(/^#/, "")),
  );
  const body = rows.map(row =>
    Site.make(
      "tr",
      {},
      ...row.map((content, i) => {
        const kind = numeric[i] ? "number" : "text";
        return Site.make(
          i ? "td" : "th",
          i ? {class: kind} : {scope: "row", class: kind},
          content ?? "–",
        );
      }),
    ),
  );
  const table = Site.make(
    "table",
    {},
    Site.make("caption", {class: captionIsHeading ? "hidden" : null}, caption),
    Site.make("thead", {}, Site.make("tr", {}, ...head)),
    Site.make("tbody", {}, ...body),
  );
  return Site.make(
    "div",
    {class: "scroll", role: "group", tabindex: 0, "aria-label": caption},
    table,
  );
}
