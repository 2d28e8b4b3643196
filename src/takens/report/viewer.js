"use strict";
// The turnable attractor of the report: WebGL2 lines or points, a 2-D canvas where WebGL2 is missing. No dependency,
// no network, no eval. Axes and labels are drawn on a second canvas with the same projection.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // ---- light and dark: follows the system until the button is pressed; nothing is remembered
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const listeners = [];
  const themeChanged = () => listeners.forEach((f) => f());
  const button = document.getElementById("theme");
  if (button) {
    const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.hidden = false;
    button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; themeChanged(); });
    listeners.push(label);
    label();
  }
  dark.addEventListener("change", themeChanged);

  // ---- paper and links: everything folded is shown
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details:not([open])").forEach((d) => { d.open = true; d.dataset.folded = "1"; });
  });
  window.addEventListener("afterprint", () => {
    document.querySelectorAll("details[data-folded]").forEach((d) => { d.open = false; delete d.dataset.folded; });
  });
  const unfold = () => {
    let node = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  const host = document.getElementById("viewer");
  const source = document.getElementById("viewer-data");
  if (!host || !source) return;

  // ---- data: one scalar series a channel; the three delayed coordinates are views of it
  const channels = JSON.parse(source.textContent).map((c) => {
    const bytes = Uint8Array.from(atob(c.values), (ch) => ch.charCodeAt(0));
    const x = new Float32Array(bytes.buffer, 0, bytes.length >> 2);
    let low = Infinity, high = -Infinity;
    for (const v of x) { if (v < low) low = v; if (v > high) high = v; }
    const middle = (low + high) / 2, half = (high - low) / 2 || 1, count = Math.max(x.length - 2 * c.delay, 0);
    const points = new Float32Array(3 * count);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < 3; k++) points[3 * i + k] = (x[i + k * c.delay] - middle) / half;
    }
    return { ...c, points, count };
  });

  const scene = host.querySelector("canvas.scene");
  const axes = host.querySelector("canvas.axes");
  const pen = axes.getContext("2d");
  // Broadside to the diagonal x(t) = x(t + tau) = x(t + 2 tau), along which every smooth orbit is drawn out.
  const start = { yaw: 0.5, pitch: 0.35, zoom: 1 };
  const view = { ...start, channel: 0, lines: channels[0].lines };

  const vertex = `#version 300 es
    in vec3 position; uniform mat3 turn; uniform vec2 scale; uniform float count, size;
    out float age; out float depth;
    void main() {
      vec3 p = turn * position; float w = 1.0 / (1.0 - 0.16 * p.z);
      gl_Position = vec4(p.xy * scale * w, 0.0, 1.0); gl_PointSize = size;
      age = float(gl_VertexID) / count; depth = clamp(0.5 + 0.35 * p.z, 0.12, 1.0);
    }`;
  const fragment = `#version 300 es
    precision highp float; in float age; in float depth; uniform vec3 early, late; uniform float alpha; out vec4 colour;
    void main() { float a = alpha * depth; colour = vec4(mix(early, late, age) * a, a); }`;

  function openGl() {
    const gl = scene.getContext("webgl2", { antialias: true, premultipliedAlpha: true, preserveDrawingBuffer: true });
    if (!gl) return null;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    const slot = gl.getAttribLocation(program, "position");
    gl.enableVertexAttribArray(slot);
    gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, 0, 0);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const at = {};
    for (const name of ["turn", "scale", "count", "size", "early", "late", "alpha"]) {
      at[name] = gl.getUniformLocation(program, name);
    }
    return { gl, at, loaded: -1 };
  }
  let gpu = openGl();
  let flat = gpu ? null : scene.getContext("2d");
  host.dataset.renderer = gpu ? "webgl2" : "canvas";
  if (gpu) {
    scene.addEventListener("webglcontextlost", (event) => event.preventDefault());
    scene.addEventListener("webglcontextrestored", () => { gpu = openGl(); draw(); });
  }

  const colour = (name) => {
    pen.fillStyle = getComputedStyle(host).getPropertyValue(name).trim() || "#888888";
    const hex = pen.fillStyle;
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  };
  const rgba = (c, a) => `rgba(${c[0]}, ${c[1]}, ${c[2]}, ${a})`;

  function turnMatrix() {
    const cy = Math.cos(view.yaw), sy = Math.sin(view.yaw), cp = Math.cos(view.pitch), sp = Math.sin(view.pitch);
    // Rows are screen right, screen up and towards the eye, for a third axis that points up.
    return [[cy, sy, 0], [-sy * sp, cy * sp, cp], [sy * cp, -cy * cp, sp]];
  }
  const turned = (m, p) => m.map((row) => row[0] * p[0] + row[1] * p[1] + row[2] * p[2]);

  let queued = false;
  function redraw() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; draw(); });
  }

  function draw() {
    const box = host.querySelector(".stage").getBoundingClientRect();
    if (!box.width) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(box.width * ratio), height = Math.round(box.height * ratio);
    for (const canvas of [scene, axes]) {
      if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    }
    const m = turnMatrix(), data = channels[view.channel];
    const reach = 0.6 * view.zoom, side = Math.min(width, height);
    const scale = [reach * side / width, reach * side / height];
    const early = colour("--oldest"), late = colour("--latest");
    const alpha = view.lines ? Math.min(0.9, Math.max(0.4, 5000 / data.count)) : 0.75;
    const project = (p) => {
      const [x, y, z] = turned(m, p), w = 1 / (1 - 0.16 * z);
      return [width / 2 * (1 + x * scale[0] * w), height / 2 * (1 - y * scale[1] * w), z];
    };
    if (gpu) drawGpu(data, m, scale, early, late, alpha, width, height, ratio);
    else drawFlat(data, project, early, late, alpha, width, height, ratio);
    drawAxes(data, project, width, height, ratio);
  }

  function drawGpu(data, m, scale, early, late, alpha, width, height, ratio) {
    const { gl, at } = gpu;
    if (gl.isContextLost()) return;
    if (gpu.loaded !== view.channel) {
      gl.bufferData(gl.ARRAY_BUFFER, data.points, gl.STATIC_DRAW);
      gpu.loaded = view.channel;
    }
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniformMatrix3fv(at.turn, true, m.flat());
    gl.uniform2fv(at.scale, scale);
    gl.uniform1f(at.count, data.count);
    gl.uniform1f(at.size, (data.count > 5000 ? 1.6 : 2.4) * ratio);
    gl.uniform3fv(at.early, early.map((v) => v / 255));
    gl.uniform3fv(at.late, late.map((v) => v / 255));
    gl.uniform1f(at.alpha, alpha);
    gl.drawArrays(view.lines ? gl.LINE_STRIP : gl.POINTS, 0, data.count);
  }

  function drawFlat(data, project, early, late, alpha, width, height, ratio) {
    flat.clearRect(0, 0, width, height);
    flat.lineWidth = ratio;
    const pieces = 12; // one colour a piece, so that a frame needs 12 strokes, not 20,000
    for (let k = 0; k < pieces; k++) {
      const from = Math.floor(k * data.count / pieces), to = Math.min(Math.floor((k + 1) * data.count / pieces) + 1, data.count);
      const share = k / (pieces - 1);
      flat.strokeStyle = flat.fillStyle = rgba(early.map((v, i) => Math.round(v + (late[i] - v) * share)), alpha);
      flat.beginPath();
      for (let i = from; i < to; i++) {
        const [x, y] = project(data.points.subarray(3 * i, 3 * i + 3));
        if (view.lines) { if (i === from) flat.moveTo(x, y); else flat.lineTo(x, y); } else flat.rect(x, y, 1.6 * ratio, 1.6 * ratio);
      }
      if (view.lines) flat.stroke(); else flat.fill();
    }
  }

  const corner = (i) => [i & 1 ? 1 : -1, i & 2 ? 1 : -1, i & 4 ? 1 : -1];
  function drawAxes(data, project, width, height, ratio) {
    pen.clearRect(0, 0, width, height);
    const corners = Array.from({ length: 8 }, (_, i) => project(corner(i)));
    const far = corners.reduce((best, c, i) => (c[2] < corners[best][2] ? i : best), 0);
    const ink = colour("--muted"), grid = colour("--grid"), paper = colour("--paper");
    pen.lineWidth = ratio;
    pen.font = `${12.5 * ratio}px system-ui, sans-serif`;
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    // The three edges at the farthest corner are a frame behind the orbit that never covers it.
    for (let k = 0; k < 3; k++) {
      const a = corners[far], b = corners[far ^ (1 << k)];
      pen.strokeStyle = rgba(grid, 1);
      pen.beginPath();
      pen.moveTo(a[0], a[1]);
      pen.lineTo(b[0], b[1]);
      pen.stroke();
      const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
      if (length < 60 * ratio) continue;
      const text = data.labels[k];
      const half = pen.measureText(text).width / 2 + 4 * ratio;
      const out = Math.hypot(b[0] - width / 2, b[1] - height / 2) || 1;
      const x = Math.min(Math.max(b[0] + (b[0] - width / 2) / out * 14 * ratio, half), width - half);
      const y = Math.min(Math.max(b[1] + (b[1] - height / 2) / out * 14 * ratio, 10 * ratio), height - 10 * ratio);
      pen.lineWidth = 4 * ratio;
      pen.strokeStyle = rgba(paper, 0.85);
      pen.strokeText(text, x, y);
      pen.lineWidth = ratio;
      pen.fillStyle = rgba(ink, 1);
      pen.fillText(text, x, y);
    }
  }

  // ---- turning: mouse, touch (one finger sideways, two to zoom), keyboard, buttons
  const turn = (dx, dy) => {
    view.yaw += dx;
    view.pitch = Math.max(-1.5, Math.min(1.5, view.pitch + dy));
    redraw();
  };
  const zoom = (factor) => { view.zoom = Math.max(0.4, Math.min(8, view.zoom * factor)); redraw(); };
  const reset = () => { Object.assign(view, start); redraw(); };
  const held = new Map();
  const apart = () => { const [a, b] = [...held.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]) || 1; };
  axes.addEventListener("pointerdown", (e) => { axes.setPointerCapture(e.pointerId); held.set(e.pointerId, [e.clientX, e.clientY]); });
  axes.addEventListener("pointermove", (e) => {
    const last = held.get(e.pointerId);
    if (!last) return;
    const before = held.size > 1 ? apart() : 0;
    held.set(e.pointerId, [e.clientX, e.clientY]);
    if (held.size > 1) zoom(apart() / before);
    else turn((last[0] - e.clientX) * 0.008, (e.clientY - last[1]) * 0.008);
  });
  for (const end of ["pointerup", "pointercancel"]) axes.addEventListener(end, (e) => held.delete(e.pointerId));
  // The wheel belongs to the page; it zooms only with Ctrl (which is also what a trackpad's pinch sends) or in focus.
  axes.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && document.activeElement !== axes) return;
    e.preventDefault();
    zoom(Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.0015)));
  }, { passive: false });
  const keys = {
    ArrowLeft: () => turn(0.1, 0), ArrowRight: () => turn(-0.1, 0), ArrowUp: () => turn(0, -0.1), ArrowDown: () => turn(0, 0.1),
    "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15), Home: reset, 0: reset,
  };
  axes.addEventListener("keydown", (e) => {
    const act = keys[e.key];
    if (!act || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    act();
  });
  const on = (selector, event, act) => { const node = host.querySelector(selector); if (node) node.addEventListener(event, act); };
  const strokes = host.querySelector("button.strokes");
  const strokesLabel = () => { strokes.textContent = view.lines ? "Show points" : "Show lines"; };
  on("button.reset", "click", reset);
  on("button.nearer", "click", () => zoom(1.25));
  on("button.farther", "click", () => zoom(0.8));
  on("button.strokes", "click", () => { view.lines = !view.lines; strokesLabel(); redraw(); });
  on("select", "change", (e) => {
    view.channel = Number(e.target.value);
    view.lines = channels[view.channel].lines;
    strokesLabel();
    redraw();
  });
  strokesLabel();
  listeners.push(redraw);
  new ResizeObserver(redraw).observe(host.querySelector(".stage"));
  draw();
})();
