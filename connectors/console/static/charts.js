"use strict";
// The charts of /trends, drawn by ECharts from the same figures as the table below them.
(() => {
  const HOUR = 3600, MINUTE = 60;
  const box = document.getElementById("charts");
  const words = box ? box.dataset.words.split("|") : [];
  let told = null, drawn = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const rounded = (value, unit) => value === null ? null : Math.round(value / unit * 10) / 10;

  function frame(names, more) {
    const ink = colour("ink"), line = colour("line");
    return {
      animation: false, textStyle: { color: ink, fontFamily: "inherit" },
      grid: { left: 44, right: 16, top: 34, bottom: 28 },
      tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: colour("surface"), borderColor: line, textStyle: { color: ink } },
      legend: { top: 2, right: 0, textStyle: { color: colour("soft") }, itemWidth: 16 },
      xAxis: { type: "category", data: names, axisLabel: { color: colour("soft") }, axisLine: { lineStyle: { color: colour("line-2") } } },
      yAxis: { type: "value", axisLabel: { color: colour("soft") }, splitLine: { lineStyle: { color: line } } },
      ...more,
    };
  }

  function share(sums) {
    const pile = (name, key, tone, pattern) => ({
      name, type: "bar", stack: "all", yAxisIndex: 1, barMaxWidth: 26, data: sums.map((s) => s[key]),
      itemStyle: { color: colour(tone), opacity: .8, ...(pattern ? { decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: Math.PI / 4, color: "rgba(255,255,255,.45)" } } : {}) },
    });
    const line = { name: words[0], type: "line", data: sums.map((s) => s.on_time === null ? null : Math.round(s.on_time * 100)), symbolSize: 7, lineStyle: { width: 2.5 }, itemStyle: { color: colour("ink") }, z: 5, connectNulls: true };
    const axis = (most, text) => ({ type: "value", min: 0, max: most, minInterval: 1, axisLabel: { color: colour("soft"), formatter: text }, splitLine: { show: !!most, lineStyle: { color: colour("line") } } });
    return frame(sums.map((s) => s.name), { series: [pile(words[1], "met", "met"), pile(words[2], "late", "risk-fill", true), pile(words[3], "open_late", "breach", true), line], yAxis: [axis(100, "{value}%"), axis(undefined, "{value}")], grid: { left: 48, right: 40, top: 34, bottom: 28 } });
  }

  function waits(sums, key, unit, name, limit, said) {
    const mark = limit ? { silent: true, symbol: "none", data: [{ yAxis: limit }], lineStyle: { color: colour("breach"), type: "dashed", width: 2 }, label: { formatter: said, color: colour("breach"), position: "insideStartTop" } } : undefined;
    const data = sums.map((s) => rounded(s[key], unit));
    const most = Math.max(limit || 0, ...data.filter((value) => value !== null));
    const series = { name, type: "line", data, symbolSize: 8, lineStyle: { width: 2.5 }, itemStyle: { color: colour("running") }, markLine: mark, connectNulls: true };
    return frame(sums.map((s) => s.name), { series: [series], legend: { show: false }, yAxis: { type: "value", min: 0, max: most ? Math.ceil(most * 1.15) : undefined, axisLabel: { color: colour("soft") }, splitLine: { lineStyle: { color: colour("line") } } } });
  }

  function draw() {
    const sums = told.stretches;
    const charts = {
      "ch-share": share(sums),
      "ch-ack": waits(sums, "mtta_s", MINUTE, words[4]),
      "ch-first": waits(sums, "first_s", HOUR, words[5], 5, words[7]),
      "ch-response": waits(sums, "response_s", HOUR, words[6], 48, words[8]),
    };
    for (const one of drawn) one.dispose();
    drawn = Object.entries(charts).map(([id, option]) => {
      const chart = echarts.init(document.getElementById(id), null, { renderer: "canvas" });
      chart.setOption(option);
      return chart;
    });
    box.dataset.drawn = "yes";
  }

  async function start() {
    try {
      const answer = await fetch(box.dataset.from, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      told = await answer.json();
      draw();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
      window.addEventListener("resize", () => { for (const one of drawn) one.resize(); });
    } catch {
      box.classList.add("none");
      document.getElementById("nochart").hidden = false;
    }
  }

  document.addEventListener("DOMContentLoaded", () => { if (box) start(); });
})();
