"use strict";
// Draws the objects of a diff-report. Everything from the data goes through text nodes, never through HTML.
(() => {
  const CHUNK = 60; // rows that are drawn at once
  const SIDES = [[1, "Old YAML"], [2, "ACK"], [4, "AWS"]];

  const data = JSON.parse(document.getElementById("data").textContent);
  const T = data.texts;
  const text = (n) => (n < 0 ? "" : T[n]);
  const byId = (id) => document.getElementById(id);

  // One object of the data, with names for its places.
  const objects = data.objects.map((o, index) => ({
    index, raw: o, kind: text(o[0]), namespace: text(o[1]), name: text(o[2]), stage: text(o[3]),
    rank: o[4], cls: o[4] < 0 ? "unread" : data.classes[o[4]][0], open: false, element: null, words: null,
  }));

  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === false || value === null || value === undefined) continue;
      if (name === "class") made.className = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  // --- filters

  const state = { classes: new Set(), kind: "", namespace: "", stage: "", behaviour: "", query: "" };
  let matching = objects;
  let drawn = 0;

  const wordsOf = (o) => {
    if (o.words === null) {
      const said = [o.kind, o.namespace, o.name, o.stage, text(o.raw[5])];
      for (const n of o.raw[6]) said.push(text(n));
      for (const part of o.raw[7]) for (const n of part.slice(0, 7)) said.push(text(n));
      for (const d of o.raw[8]) for (const n of [d[1], d[2], d[3], d[5], d[6], d[7], d[8], d[9]]) said.push(text(n));
      o.words = said.join("\n").toLowerCase();
    }
    return o.words;
  };

  const matches = (o, words) =>
    (!state.classes.size || state.classes.has(o.cls)) &&
    (!state.kind || o.kind === state.kind) &&
    (!state.namespace || o.namespace === state.namespace) &&
    (!state.stage || o.stage === state.stage) &&
    (!state.behaviour || o.raw[6].some((n) => text(n) === state.behaviour)) &&
    words.every((word) => wordsOf(o).includes(word));

  const isFiltered = () =>
    state.classes.size > 0 || ["kind", "namespace", "stage", "behaviour", "query"].some((name) => state[name]);

  const apply = () => {
    const words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
    matching = isFiltered() ? objects.filter((o) => matches(o, words)) : objects;
    drawn = 0;
    list.replaceChildren();
    if (matching.length) drawMore();
    else list.append(element("p", { class: "empty" }, objects.length ? "No object matches these filters." : "There is no object."));
    const count = matching.length.toLocaleString("en");
    shown.textContent = matching.length === objects.length
      ? `${count} ${objects.length === 1 ? "object" : "objects"}`
      : `${count} of ${objects.length.toLocaleString("en")} objects`;
    clear.hidden = !isFiltered();
    for (const tile of document.querySelectorAll(".tile")) {
      tile.setAttribute("aria-pressed", String(state.classes.has(tile.dataset.class)));
    }
    for (const name of ["kind", "namespace", "stage"]) byId(name).value = state[name];
    if (search.value !== state.query) search.value = state.query;
    remember();
  };

  // The filters are part of the address, so that a colleague can be sent to them.
  const remember = () => {
    const said = new URLSearchParams();
    if (state.classes.size) said.set("class", [...state.classes].join(","));
    for (const name of ["kind", "namespace", "stage", "behaviour"]) if (state[name]) said.set(name, state[name]);
    if (state.query) said.set("q", state.query);
    const hash = said.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };

  const recall = () => {
    const said = new URLSearchParams(location.hash.slice(1));
    state.classes = new Set((said.get("class") || "").split(",").filter(Boolean));
    for (const name of ["kind", "namespace", "stage", "behaviour"]) state[name] = said.get(name) || "";
    state.query = said.get("q") || "";
    apply();
  };

  let waiting = 0;
  const find = () => {
    clearTimeout(waiting);
    if (state.query !== search.value) { state.query = search.value; apply(); }
  };

  const reset = () => {
    clearTimeout(waiting);
    state.classes.clear();
    for (const name of ["kind", "namespace", "stage", "behaviour", "query"]) state[name] = "";
    apply();
  };

  // --- values, with the part that differs marked

  const common = (a, b) => {
    const most = Math.min(a.length, b.length);
    let start = 0;
    while (start < most && a[start] === b[start]) start += 1;
    let end = 0;
    while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
    return [start, end];
  };

  const marked = (value, other) => {
    if (other === null || value === other) return [value];
    const [start, end] = common(value, other);
    const middle = value.slice(start, value.length - end);
    return [value.slice(0, start), middle ? element("mark", {}, middle) : element("mark", { class: "gap", title: "Something is missing here" }, "‸"), end ? value.slice(-end) : ""];
  };

  const valueText = (n) => (n >= 0 ? T[n] : n === -1 ? null : `hidden ${String.fromCharCode(63 - n)}`);

  const value = (n, reference, isCompared) => {
    if (!isCompared) return element("span", { class: "absent" }, "—");
    if (n === -1) return element("span", { class: "not-set" }, "not set");
    if (n < -1) return element("span", { class: "secret", title: "Hidden; equal letters mean equal values. --show-values shows it." }, valueText(n));
    const other = reference >= 0 ? T[reference] : null;
    if (n === reference) return element("code", {}, T[n]);
    return element("code", {}, ...(other === null ? [element("mark", {}, T[n])] : marked(T[n], other)));
  };

  // The odd one out is held against the others; where all differ, each against AWS.
  const cells = (sides, mask) => {
    const present = SIDES.map(([bit], i) => ((mask & bit) ? i : -1)).filter((i) => i >= 0);
    const last = present[present.length - 1];
    const agreeing = present.filter((i) => present.some((j) => j !== i && sides[j] === sides[i]));
    return SIDES.map(([bit, label], i) => {
      let reference = sides[last];
      if (agreeing.includes(i)) reference = sides[i];
      else if (agreeing.length) reference = sides[agreeing[0]];
      else if (i === last) reference = sides[present[0]];
      return element("td", { "data-side": label }, value(sides[i], reference, Boolean(mask & bit)));
    });
  };

  // --- one object

  const badge = (rank, uncompared) => rank < 0
    ? element("span", { class: "badge unread" }, uncompared ? "not compared" : "not read")
    : element("span", { class: `badge ${data.classes[rank][0]}` }, data.classes[rank][1]);

  // A path may be broken after each of its steps.
  const broken = (path) => {
    const made = element("code", {});
    for (const step of path.split(/(?<=[.\]/])/)) made.append(step, document.createElement("wbr"));
    return made;
  };

  // Commands stand in backticks.
  const sentence = (said) => {
    const pieces = said.split("`");
    return pieces.length % 2 ? pieces.map((piece, i) => (i % 2 ? element("code", {}, piece) : piece)) : [said];
  };

  const differenceRows = (d, mask) => {
    const [rank, code, path, origin, , old, ack, aws, happens, todo] = d;
    const cls = data.classes[rank][0];
    const matters = rank >= 3;
    const label = element("td", { class: "field" }, badge(rank), " ",
      path >= 0 || origin >= 0 ? broken(text(path >= 0 ? path : origin)) : element("code", {}, "as a whole"));
    if (path >= 0 && origin >= 0 && matters) label.append(element("small", { title: "The field of the old object" }, broken(text(origin))));
    const row = element("tr", { class: `difference ${matters ? "matters" : "minor"} ${cls}` }, label);
    const said = [element("p", {}, ...sentence(text(happens))), matters ? element("p", { class: "todo" }, ...sentence(text(todo))) : null, element("code", { class: "code" }, text(code))];
    if (path >= 0) {
      row.append(...cells([old, ack, aws], mask));
      if (!matters) { row.title = text(happens); return [row]; }
      return [row, element("tr", { class: `said ${cls}` }, element("td", { colspan: 4 }, ...said.filter(Boolean)))];
    }
    row.classList.add("whole");
    row.append(element("td", { colspan: 3 }, ...said.filter(Boolean)));
    return [row];
  };

  const equalRows = (part, mask) => {
    const paths = data.shapes[part[9]];
    return paths.map((path, i) => {
      const n = part[10 + i];
      return element("tr", { class: "same" }, element("td", { class: "field" }, broken(text(path))),
        ...SIDES.map(([bit, label]) => element("td", { "data-side": label }, value(n, n, Boolean(mask & bit)))));
    });
  };

  const columns = () => element("colgroup", {}, element("col", { class: "first" }), element("col"), element("col"), element("col"));

  const partView = (o, part, index) => {
    const [kind, name, region, aws, known, status, problem, mask, equal] = part;
    const differences = o.raw[8].filter((d) => d[4] === index);
    const head = element("h3", {}, element("span", {}, text(kind)), " ", element("code", {}, text(aws >= 0 ? aws : name)));
    const facts = [region >= 0 ? text(region) : "", status >= 0 ? text(status) : "",
      text(known) === "found" ? "" : text(known) === "missing" ? "not in AWS" : `AWS ${text(known)}`,
      (mask & 2) ? `ACK object ${text(name)}` : "no ACK object yet"].filter(Boolean);
    const view = element("section", { class: "part" }, head, element("p", { class: "facts" }, facts.join(" · ")));
    if (problem >= 0) view.append(element("p", { class: "problem" }, text(problem)));
    const body = element("tbody", {}, ...differences.flatMap((d) => differenceRows(d, mask)));
    const table = element("table", { class: "sides" }, columns(), element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, "Field"), ...SIDES.map(([, label]) => element("th", { scope: "col" }, label)))), body);
    if (differences.length) view.append(table);
    if (equal) {
      const known = part.length > 9;
      const label = `${equal} ${equal === 1 ? "field is" : "fields are"} equal on all sides`;
      const button = element("button", { type: "button", class: "link equal-toggle", "aria-expanded": "false" }, label);
      const rest = element("tbody", { class: "rest", hidden: true });
      button.addEventListener("click", () => {
        if (!rest.childElementCount) rest.append(...equalRows(part, mask));
        if (!rest.parentElement) table.append(rest);
        if (!table.parentElement) view.insertBefore(table, button);
        rest.hidden = !rest.hidden;
        if (!differences.length) table.hidden = rest.hidden;
        button.setAttribute("aria-expanded", String(!rest.hidden));
      });
      view.append(known ? button : element("p", { class: "facts" }, `${label}.`));
    }
    return view;
  };

  const detail = (o) => {
    const view = element("div", { class: "detail" });
    if (o.raw[5] >= 0) view.append(element("p", { class: "problem" }, `Not compared: ${text(o.raw[5])}.`));
    const whole = o.raw[8].filter((d) => d[4] < 0);
    if (whole.length) {
      view.append(element("section", { class: "part" }, element("table", { class: "sides" }, columns(),
        element("tbody", {}, ...whole.flatMap((d) => differenceRows(d, 7))))));
    }
    o.raw[7].forEach((part, index) => view.append(partView(o, part, index)));
    return view;
  };

  const hint = (o) => {
    const matter = o.raw[8].filter((d) => d[0] >= 3);
    const told = matter.length ? matter : o.raw[8];
    if (!told.length) return "";
    const names = [...new Set(told.map((d) => text(d[2] >= 0 ? d[2] : d[3] >= 0 ? d[3] : d[1])))];
    return names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  };

  const toggle = (o, open) => {
    o.open = open === undefined ? !o.open : open;
    const row = o.element;
    if (!row) return;
    row.firstElementChild.setAttribute("aria-expanded", String(o.open));
    if (o.open && row.childElementCount === 1) row.append(detail(o));
    if (row.childElementCount > 1) row.lastElementChild.hidden = !o.open;
  };

  const rowOf = (o) => {
    if (o.element) return o.element;
    const head = element("button", { type: "button", class: "head", "aria-expanded": "false" },
      badge(o.rank, o.raw[5] >= 0),
      element("span", { class: "who" }, element("span", { class: "kind" }, o.kind), " ",
        element("span", { class: "namespace" }, `${o.namespace}/`), element("span", { class: "name" }, o.name)),
      element("span", { class: "hint" }, hint(o)),
      element("span", { class: "stage" }, o.stage));
    head.addEventListener("click", () => toggle(o));
    o.element = element("article", { class: o.cls }, head);
    o.element.object = o;
    if (o.open) toggle(o, true);
    return o.element;
  };

  const drawMore = (until) => {
    const end = Math.min(matching.length, Math.max(drawn + CHUNK, until || 0));
    const rows = document.createDocumentFragment();
    for (; drawn < end; drawn += 1) rows.append(rowOf(matching[drawn]));
    list.append(rows);
  };

  // --- keys

  const rows = () => list.children;
  const focusRow = (step) => {
    const current = document.activeElement && document.activeElement.closest("#objects > article");
    let index = current ? [...rows()].indexOf(current) + step : 0;
    if (index < 0) index = 0;
    if (index >= drawn && drawn < matching.length) drawMore();
    const row = rows()[Math.min(index, rows().length - 1)];
    if (row && row.firstElementChild && row.object) {
      row.firstElementChild.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
  };

  const expandAll = () => {
    const open = matching.some((o) => !o.open);
    drawMore();
    // What is not drawn yet opens when it is.
    for (const o of matching) toggle(o, open);
    expand.textContent = open ? "Collapse" : "Expand";
  };

  const onKey = (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.key === "Escape") {
      if (typing) event.target.blur();
      else if (isFiltered()) reset();
      return;
    }
    if (typing) {
      if (event.key === "Enter" && event.target === search) { event.preventDefault(); find(); search.blur(); focusRow(0); }
      return;
    }
    const number = Number(event.key);
    const keys = { "/": () => { search.focus(); search.select(); }, j: () => focusRow(1), k: () => focusRow(-1), e: expandAll, "?": () => help.showModal() };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
    else if (number >= 1 && number <= 6) pick(data.classes[6 - number][0]);
  };

  const pick = (cls, more) => {
    const only = state.classes.size === 1 && state.classes.has(cls);
    if (more) { if (!state.classes.delete(cls)) state.classes.add(cls); }
    else { state.classes.clear(); if (!only) state.classes.add(cls); }
    apply();
  };

  // --- begin

  const list = byId("objects");
  const [search, shown, clear, expand, help] = ["search", "shown", "clear", "expand", "help"].map(byId);

  for (const name of ["kind", "namespace", "stage"]) {
    const select = byId(name);
    const known = [...new Set(objects.map((o) => o[name]))].sort();
    select.append(...known.map((option) => element("option", { value: option }, option)));
    select.closest("label").hidden = known.length < 2;
    select.addEventListener("change", () => { state[name] = select.value; apply(); });
  }
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 80);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.disabled) return;
    if (button.classList.contains("tile")) pick(button.dataset.class, event.ctrlKey || event.metaKey || event.shiftKey);
    else if (button.dataset.class || button.dataset.behaviour) {
      reset();
      if (button.dataset.class) state.classes.add(button.dataset.class);
      for (const name of ["kind", "namespace", "behaviour"]) state[name] = button.dataset[name] || "";
      apply();
      byId("bar").scrollIntoView({ block: "start" });
    }
  });
  clear.addEventListener("click", reset);
  expand.addEventListener("click", expandAll);
  byId("help-button").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", recall);
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && drawn < matching.length) drawMore();
  }, { rootMargin: "1200px" }).observe(byId("more"));

  // On paper: everything that the filters leave, with the details of what matters.
  let opened = [], unfolded = [];
  addEventListener("beforeprint", () => {
    drawMore(matching.length);
    opened = matching.filter((o) => !o.open && (o.rank < 0 || o.rank >= 3));
    for (const o of opened) toggle(o, true);
    unfolded = [...document.querySelectorAll(".notes details:not([open])")];
    for (const details of unfolded) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const o of opened) toggle(o, false);
    for (const details of unfolded) details.open = false;
  });

  recall();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
