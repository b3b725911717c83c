"use strict";
// Follows the runs through two event streams: one of the list, one of the run that is looked at. Everything that comes from
// the daemon is set as text, never as markup.

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

const chosen = new Set();
let current = null;
let stream = null;
let story = null;

// MARK: Figures

const known = (value) => value !== undefined && value !== null;
const fixed = (value, digits) => (known(value) ? value.toFixed(digits) : "–");
const percent = (value) => (known(value) ? (100 * value).toFixed(1) + " %" : "–");
const short = (value) => (known(value) ? Number(value.toPrecision(3)).toString() : "–");
function clock(seconds) {
  if (!known(seconds)) return "–";
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}
function duration(seconds) {
  if (!known(seconds)) return "–";
  return seconds < 1 ? short(1000 * seconds) + " ms" : short(seconds) + " s";
}
function bytes(count) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (count >= size) return short(count / size) + " " + unit;
  }
  return count + " B";
}
function machine(run) {
  const name = run.backend === "wafer" ? "wafer" : "cluster of " + run.workers;
  return run.hardware ? name + " as " + run.hardware : name;
}

// MARK: Elements

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
function drawing(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// MARK: Requests

async function request(method, path, body) {
  const options = { method, headers: {} };
  if (method !== "GET") {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body ?? {});
  }
  const response = await fetch(path, options);
  const text = await response.text();
  let document = null;
  try { document = JSON.parse(text); } catch { /* a proxy's page, or nothing */ }
  if (!response.ok) throw new Error(document?.error?.message ?? text ?? response.statusText);
  return document;
}

// MARK: The list of runs

function followList() {
  const source = new EventSource("/api/v1/stream");
  source.addEventListener("open", () => tell("live", "live"));
  source.addEventListener("error", () => tell("lost", "the daemon does not answer; trying again"));
  source.addEventListener("runs", (event) => showList(JSON.parse(event.data).runs));
}
function tell(kind, text) {
  $("link").className = "quiet " + kind;
  $("link").textContent = text;
}
function showList(runs) {
  $("no-runs").hidden = runs.length > 0;
  const ids = new Set(runs.map((run) => run.run_id));
  for (const id of [...chosen]) if (!ids.has(id)) chosen.delete(id);
  const focused = document.activeElement?.dataset?.key;
  $("run-list").replaceChildren(...runs.map(listItem));
  if (focused) document.querySelector(`[data-key="${focused}"]`)?.focus();
  showCompare();
  const named = location.hash.slice(1);
  if (current === null && runs.length > 0) open(ids.has(named) ? named : runs[0].run_id);
  if (current !== null && !ids.has(current)) close();
}
function listItem(run) {
  const item = element("li", run.backend === "wafer" ? "wafer" : "");
  const box = element("input");
  box.type = "checkbox";
  box.checked = chosen.has(run.run_id);
  box.dataset.key = "box-" + run.run_id;
  box.setAttribute("aria-label", `Choose run ${run.run_id} for a report`);
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(run.run_id); else chosen.delete(run.run_id);
    showCompare();
  });
  const button = element("button");
  button.type = "button";
  button.dataset.key = "run-" + run.run_id;
  button.setAttribute("aria-current", String(run.run_id === current));
  const first = element("span", "line");
  first.append(element("span", "name", run.job_name), element("span", "", run.state));
  const second = element("span", "line small");
  const share = run.steps_planned > 0 ? run.steps_made / run.steps_planned : 0;
  second.append(
    element("span", "backend", machine(run)),
    element("span", "", run.state === "running" ? percent(share) : known(run.training_host_seconds) ? clock(run.training_host_seconds) : ""));
  button.append(first, second);
  button.addEventListener("click", () => open(run.run_id));
  item.append(box, button);
  return item;
}
function showCompare() {
  const link = $("compare");
  link.hidden = chosen.size === 0;
  link.textContent = chosen.size === 1 ? "Report on the chosen run" : `Report on the ${chosen.size} chosen runs`;
  link.href = reportOf([...chosen]);
}
/** Where the report on runs is, by the clock that is chosen. */
function reportOf(runs) {
  const query = runs.map((id) => "run=" + id);
  if ($("report-clock").value !== "host") query.push("clock=" + $("report-clock").value);
  return "/report?" + query.join("&");
}
function bindClock() {
  $("report-clock").addEventListener("change", () => {
    showCompare();
    if (current) $("report").href = reportOf([current]);
  });
}

// MARK: One run

function open(id) {
  stream?.close();
  current = id;
  story = { run: null, steps: [], evaluations: [], events: [], workers: [] };
  history.replaceState(null, "", "#" + id);
  for (const button of document.querySelectorAll("#run-list button")) {
    button.setAttribute("aria-current", String(button.dataset.key === "run-" + id));
  }
  $("action-answer").textContent = "";
  stream = new EventSource(`/api/v1/runs/${id}/stream`);
  const mine = stream;
  // A stream that begins anew tells everything from the first step.
  mine.addEventListener("open", () => {
    if (mine === stream) Object.assign(story, { steps: [], evaluations: [], events: [] });
  });
  mine.addEventListener("frame", (event) => {
    if (mine === stream) show(JSON.parse(event.data));
  });
  mine.addEventListener("end", () => mine.close());
}
function close() {
  stream?.close();
  current = null;
  $("run").hidden = true;
  $("nothing").hidden = false;
}
function show(frame) {
  story.run = frame.run;
  story.workers = frame.workers;
  for (const name of ["steps", "evaluations", "events"]) story[name].push(...frame[name]);
  const run = frame.run;
  $("nothing").hidden = true;
  $("run").hidden = false;
  $("run").className = run.backend === "wafer" ? "wafer" : "";
  $("job").textContent = run.job_name;
  $("machine").textContent = `${machine(run)} · ${run.lanes} lanes${run.algorithm ? " · all-reduce " + run.algorithm : ""} · run ${run.run_id}`;
  $("state").textContent = run.state;
  $("state").className = "state " + run.state;
  $("failure").hidden = !run.failure;
  $("failure").textContent = run.failure ?? "";
  document.title = `${run.job_name}: ${run.state}`;
  showProgress(run);
  showActions(run);
  showFigures(run);
  showCurves();
  showWorkers(frame);
  showEvents();
}
function showProgress(run) {
  const share = run.steps_planned > 0 ? run.steps_made / run.steps_planned : 0;
  $("bar").style.width = 100 * share + "%";
  $("bar-track").setAttribute("aria-valuenow", Math.round(100 * share));
  let text = `step ${run.steps_made} of ${run.steps_planned} · ${clock(run.elapsed_host_seconds)} host time`;
  if (known(run.remaining_host_seconds)) text += ` · ${clock(run.remaining_host_seconds)} left`;
  if (known(run.time_to_target_host_seconds)) text += ` · target after ${clock(run.time_to_target_host_seconds)}`;
  $("progress-text").textContent = text;
}
function showActions(run) {
  $("report").href = reportOf([run.run_id]);
  $("report").hidden = run.steps_made === 0;
  $("cancel").hidden = run.is_final;
  $("resume").hidden = !run.can_resume;
  $("delete").hidden = !run.is_final;
}
function showFigures(run) {
  const step = story.steps.at(-1);
  const evaluation = story.evaluations.at(-1);
  $("loss").textContent = fixed(step?.loss_nats, 3);
  $("accuracy").replaceChildren(percent(evaluation?.masked_accuracy));
  if (evaluation) $("accuracy").append(element("small", "", "baseline " + percent(evaluation.baseline_accuracy)));
  $("rate").textContent = short(run.sequences_per_host_second);
  $("step-time").textContent = duration(run.step_host_seconds);
}
function showWorkers(frame) {
  const membership = story.events.findLast((event) => event.kind === "membership_changed");
  $("membership").textContent = membership ? membership.message : "";
  const longest = Math.max(...frame.workers.map((worker) => worker.step_host_seconds), 1e-9);
  $("workers").replaceChildren(...frame.workers.map((worker) => {
    const item = element("li");
    const parts = element("span", "parts");
    const shares = [
      ["compute", "compute", worker.compute_host_seconds],
      ["exposed", "exposed communication", worker.exposed_communication_host_seconds],
      ["waiting", "waiting", worker.waiting_host_seconds], ["optimizer", "optimizer", worker.optimizer_host_seconds],
      ["input", "input", worker.input_host_seconds],
    ];
    for (const [kind, name, seconds] of shares) {
      const part = element("span", kind);
      part.style.width = (100 * seconds) / longest + "%";
      part.title = `${name} ${duration(seconds)}`;
      parts.append(part);
    }
    parts.setAttribute("role", "img");
    parts.setAttribute("aria-label", shares.map(([, name, seconds]) => `${name} ${duration(seconds)}`).join(", "));
    const sent = worker.sent_bytes > 0 ? `, sent ${bytes(worker.sent_bytes)}` : "";
    item.append(
      element("span", "", frame.run.backend === "wafer" ? "wafer" : "worker " + worker.rank), parts,
      element("span", "figures", duration(worker.step_host_seconds) + sent));
    return item;
  }));
}
const LOUD = new Set(["worker_lost", "stalled", "warning", "peer_refused", "straggler"]);
function showEvents() {
  $("events").replaceChildren(...story.events.slice(-200).reverse().map((event) => {
    const item = element("li", LOUD.has(event.kind) ? "loud" : "");
    const time = element("time", "", new Date(event.time).toLocaleTimeString([], { hour12: false }));
    time.dateTime = event.time;
    item.append(time, element("span", "kind", event.kind.replaceAll("_", " ")), element("span", "message", event.message));
    return item;
  }));
}

// MARK: Curves

function showCurves() {
  curve($("loss-chart"), story.steps.filter((step) => known(step.loss_nats)).map((step) => [step.step + 1, step.loss_nats]), {
    x: (value) => String(Math.round(value)), y: (value) => short(value), unit: "steps" });
  const evaluations = story.evaluations.filter((evaluation) => known(evaluation.masked_accuracy));
  curve($("accuracy-chart"), evaluations.map((evaluation) => [evaluation.elapsed_host_seconds, evaluation.masked_accuracy]), {
    x: (value, step) => (step < 5 ? value.toFixed(step < 1 ? 1 : 0) + " s" : clock(value)),
    y: (value, step) => (100 * value).toFixed(step < 0.001 ? 2 : step < 0.01 ? 1 : 0) + " %", unit: "host time", points: true,
    baseline: evaluations.at(-1)?.baseline_accuracy });
}
// Round values that divide a range into a few parts.
function ticks(low, high) {
  const span = high - low || 1;
  const raw = span / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) values.push(value);
  return { values, step };
}
function curve(svg, points, form) {
  const box = { left: 48, right: 470, top: 8, bottom: 170 };
  svg.replaceChildren();
  if (points.length === 0) {
    svg.append(drawing("text", { x: 240, y: 95, "text-anchor": "middle" }, "nothing yet"));
    return;
  }
  const ys = points.map((point) => point[1]).concat(known(form.baseline) ? [form.baseline] : []);
  const range = { x0: 0, x1: Math.max(points.at(-1)[0], 1e-9), y0: Math.min(...ys), y1: Math.max(...ys) };
  if (range.y1 - range.y0 < 1e-9) range.y1 = range.y0 + (Math.abs(range.y0) || 1) * 0.1;
  const x = (value) => box.left + ((value - range.x0) / (range.x1 - range.x0)) * (box.right - box.left);
  const y = (value) => box.bottom - ((value - range.y0) / (range.y1 - range.y0)) * (box.bottom - box.top);
  const levels = ticks(range.y0, range.y1);
  for (const value of levels.values) {
    svg.append(
      drawing("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }),
      drawing("text", { x: box.left - 8, y: y(value) + 4, "text-anchor": "end" }, form.y(value, levels.step)));
  }
  const places = ticks(range.x0, range.x1);
  for (const value of places.values) {
    svg.append(drawing("text", { x: x(value), y: box.bottom + 18, "text-anchor": "middle" }, form.x(value, places.step)));
  }
  svg.append(drawing("text", { x: box.right, y: box.bottom + 32, "text-anchor": "end" }, form.unit));
  if (known(form.baseline)) {
    const height = y(form.baseline);
    svg.append(
      drawing("line", { class: "baseline", x1: box.left, x2: box.right, y1: height, y2: height }),
      drawing("text", { x: box.right, y: height - 5, "text-anchor": "end" }, "most frequent token"));
  }
  svg.append(drawing("polyline", { class: "curve", points: points.map((point) => `${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`).join(" ") }));
  if (form.points) for (const point of points) svg.append(drawing("circle", { class: "point", cx: x(point[0]), cy: y(point[1]), r: 3.2 }));
}

// MARK: What the reader does

async function act(method, path, body, done) {
  const answer = $("action-answer");
  answer.textContent = "…";
  try {
    const result = await request(method, path, body);
    answer.textContent = result.state;
    done?.();
  } catch (error) {
    answer.textContent = error.message;
  }
}
function bindActions() {
  $("cancel").addEventListener("click", () => act("POST", `/api/v1/runs/${current}/cancel`));
  // The stream of a run that had ended is over; it begins anew.
  $("resume").addEventListener("click", () => act("POST", `/api/v1/runs/${current}/resume`, {}, () => open(current)));
  $("delete").addEventListener("click", () => {
    if (confirm(`Delete run ${current} with its checkpoints and model?`)) act("DELETE", `/api/v1/runs/${current}`);
  });
}

// MARK: Launching

let choices = null;
async function openLaunch() {
  $("launch-problem").hidden = true;
  try {
    choices ??= await request("GET", "/api/v1/choices");
    if ($("example").options.length === 0) fillChoices();
    fillHardware();
    $("launch").showModal();
  } catch (error) {
    tell("lost", error.message);
  }
}
function option(value, text) {
  const node = element("option", "", text);
  node.value = value;
  return node;
}
function fillChoices() {
  $("example").replaceChildren(...choices.jobs.map((job) => option(job.name, `${job.name}: ${job.summary}`)));
  $("algorithm").replaceChildren(...choices.algorithms.map((name) => option(name, name)));
  $("job-text").value = choices.jobs[0]?.job ?? "";
}
function backend() { return new FormData($("launch-form")).get("backend"); }
function fillHardware() {
  const fitting = choices.hardware.filter((profile) => profile.backend === backend());
  $("hardware").replaceChildren(option("", "no machine"), ...fitting.map((profile) => option(profile.name, profile.name)));
  for (const node of document.querySelectorAll(".cluster-only")) node.hidden = backend() === "wafer";
}
async function launch(event) {
  event.preventDefault();
  const problem = $("launch-problem");
  $("launch-go").disabled = true;
  problem.hidden = true;
  try {
    const answer = await request("POST", "/api/v1/runs", {
      job: $("job-text").value, backend: backend(), workers: Number($("workers-count").value),
      hardware: $("hardware").value, algorithm: $("algorithm").value });
    $("launch").close();
    open(answer.run_id);
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    $("launch-go").disabled = false;
  }
}
function bindLaunch() {
  $("open-launch").addEventListener("click", openLaunch);
  $("launch-close").addEventListener("click", () => $("launch").close());
  $("launch-form").addEventListener("submit", launch);
  $("example").addEventListener("change", () => {
    $("job-text").value = choices.jobs.find((job) => job.name === $("example").value)?.job ?? "";
  });
  for (const input of document.querySelectorAll('input[name="backend"]')) input.addEventListener("change", fillHardware);
}

bindActions();
bindClock();
bindLaunch();
followList();
