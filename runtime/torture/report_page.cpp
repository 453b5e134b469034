// The verdict as one page of HTML that needs nothing else: plots as inline SVG.
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "runtime/torture/report.hpp"

namespace mainstay::torture {

namespace {

constexpr double width = 1100, left = 60, right = 10;
constexpr double plot_height = 160, row_height = 16;

constexpr const char* style = R"(<style>
body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:1120px;color:#222}
table{border-collapse:collapse;margin:1em 0}td,th{padding:2px 10px;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
.pass{color:#176b2c;font-weight:600}.fail{color:#b00020;font-weight:600}
svg text{font:11px system-ui,sans-serif;fill:#444}pre{background:#f6f6f6;padding:1em;white-space:pre-wrap}
</style>)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

class Plot {
 public:
  explicit Plot(const Outcome& outcome)
      : outcome_{outcome},
        seconds_{std::max<double>(1, static_cast<double>(outcome.seconds.size()))} {}

  double x(double second) const { return left + (width - left - right) * second / seconds_; }
  double x(Millis time) const { return x(static_cast<double>(time.count()) / 1000); }

  // Where faults were, behind the curves.
  std::string shadows(double height) const {
    std::string out;
    for (const Struck& struck : outcome_.struck) {
      if (!struck.happened()) continue;
      out += fmt::format(
          R"(<rect x="{:.1f}" y="0" width="{:.1f}" height="{:.0f}" fill="{}" opacity="0.12"/>)",
          x(struck.from), std::max(1.5, x(struck.healed) - x(struck.from)), height,
          colour(struck.fault.kind));
    }
    return out;
  }

  // `value` of a second, between 0 and `top` (or by its logarithm from `bottom` on).
  std::string curve(const std::function<double(const Timeline::Second&)>& value,
                    const std::function<double(double)>& height, const char* stroke) const {
    std::string points;
    for (std::size_t i = 0; i < outcome_.seconds.size(); ++i)
      points += fmt::format("{:.1f},{:.1f} ", x(static_cast<double>(i) + 0.5),
                            plot_height - height(value(outcome_.seconds[i])));
    return fmt::format(R"(<polyline points="{}" fill="none" stroke="{}" stroke-width="1.3"/>)",
                       points, stroke);
  }

  std::string axis(double at, const std::string& label) const {
    return fmt::format(R"(<line x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}" stroke="#ddd"/>)"
                       R"(<text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>)",
                       left, width - right, plot_height - at, left - 5, plot_height - at + 4,
                       label);
  }

  std::string times() const {
    std::string out;
    const double step = std::max(1.0, std::ceil(seconds_ / 12));
    for (double second = 0; second < seconds_; second += step)
      out += fmt::format(R"(<text x="{:.1f}" y="{:.0f}">{:.0f} s</text>)", x(second),
                         plot_height + 14, second);
    return out;
  }

  static std::string colour(FaultKind kind) {
    return fmt::format("hsl({} 65% 42%)",
                       static_cast<int>(kind) * 360 / static_cast<int>(fault_kinds));
  }

 private:
  const Outcome& outcome_;
  const double seconds_;
};

std::string open_svg(double height) {
  return fmt::format(R"(<svg viewBox="0 0 {} {}" width="100%" role="img">)", width, height);
}

std::string throughput(const Outcome& outcome, const Plot& plot) {
  double top = 1;
  for (const auto& second : outcome.seconds)
    top = std::max(top, static_cast<double>(second.latency.total()));
  const auto height = [top](double value) { return (plot_height - 10) * value / top; };
  return "<h2>Requests a second</h2><p>black: answered; red: without a definite answer within one "
         "second</p>" +
         open_svg(plot_height + 20) + plot.shadows(plot_height) + plot.axis(0, "0") +
         plot.axis(height(top), fmt::format("{:.0f}", top)) +
         plot.curve([](const auto& s) { return static_cast<double>(s.latency.total()); }, height,
                    "#222") +
         plot.curve([](const auto& s) { return static_cast<double>(s.late); }, height, "#c00020") +
         plot.times() + "</svg>";
}

std::string latency(const Plot& plot) {
  // 0.1 ms to 10 s.
  const auto height = [](double ms) {
    return (plot_height - 10) * std::clamp(std::log10(std::max(ms, 0.1)) + 1, 0.0, 5.0) / 5;
  };
  const auto millis = [](Micros time) { return static_cast<double>(time.count()) / 1000; };
  std::string out =
      "<h2>Latency</h2><p>black: median; blue: 99 of 100; red: slowest; logarithmic</p>" +
      open_svg(plot_height + 20) + plot.shadows(plot_height);
  for (const auto& [value, label] : {std::pair{0.1, "0.1 ms"},
                                     {1.0, "1 ms"},
                                     {10.0, "10 ms"},
                                     {100.0, "100 ms"},
                                     {1000.0, "1 s"},
                                     {10000.0, "10 s"}})
    out += plot.axis(height(value), label);
  out += plot.curve([&](const auto& s) { return millis(s.latency.max()); }, height, "#c00020");
  out += plot.curve([&](const auto& s) { return millis(s.latency.quantile(0.99)); }, height,
                    "#2050c0");
  out += plot.curve([&](const auto& s) { return millis(s.latency.quantile(0.5)); }, height, "#222");
  return out + plot.times() + "</svg>";
}

std::string fault_rows(const Outcome& outcome, const Plot& plot) {
  std::string rows;
  double y = 0;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    std::string bars;
    for (const Struck& struck : outcome.struck) {
      if (!struck.happened() || struck.fault.kind != static_cast<FaultKind>(kind)) continue;
      bars += fmt::format(
          R"(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="{:.0f}" fill="{}"><title>{}</title></rect>)",
          plot.x(struck.from), y + 2, std::max(2.0, plot.x(struck.healed) - plot.x(struck.from)),
          row_height - 4, Plot::colour(struck.fault.kind), escaped(to_string(struck.fault)));
    }
    if (bars.empty()) continue;
    rows += fmt::format(R"(<text x="0" y="{:.0f}">{}</text>)", y + row_height - 4,
                        escaped(to_string(static_cast<FaultKind>(kind)))) +
            bars;
    y += row_height;
  }
  return "<h2>Faults</h2>" + open_svg(y + 4) + rows + "</svg>";
}

std::string checks_table(const Outcome& outcome) {
  std::string rows;
  for (const Check& check : outcome.checks) {
    std::string findings;
    for (const std::string& finding : check.findings)
      findings += "<pre>" + escaped(finding) + "</pre>";
    rows += fmt::format("<tr><td class=\"{}\">{}</td><td>{}{}</td><td>{} {}</td><td>{}</td></tr>",
                        check.passed() ? "pass" : "fail", check.passed() ? "PASS" : "FAIL",
                        escaped(check.name), findings, check.looked, escaped(check.unit),
                        escaped(check.note));
  }
  return "<h2>Checks</h2><table><tr><th></th><th>check</th><th>looked at</th><th></th></tr>" +
         rows + "</table>";
}

std::string faults_table(const Outcome& outcome) {
  std::string rows;
  for (std::size_t i = 0; i < outcome.struck.size(); ++i) {
    const Struck& struck = outcome.struck[i];
    const std::string happened =
        struck.happened()
            ? fmt::format("<td>{} ms</td><td>{} ms</td><td>{} ms</td><td>{}</td>",
                          outcome.effects[i].gap.count(), outcome.effects[i].request.count(),
                          (struck.well - struck.healed).count(), escaped(struck.note))
            : "<td></td><td></td><td></td><td>left out: " + escaped(struck.left_out) + "</td>";
    rows += fmt::format("<tr><td>{}</td><td>{}</td>{}</tr>", escaped(to_string(struck.fault)),
                        struck.node == 0 ? "all" : fmt::format("node {}", struck.node), happened);
  }
  return "<h2>Each fault</h2><table><tr><th>plan</th><th>who</th><th>longest gap between "
         "acknowledged writes</th>"
         "<th>slowest request</th><th>well again after</th><th></th></tr>" +
         rows + "</table>";
}

}  // namespace

std::string verdict_page(const Outcome& outcome) {
  const Plot plot{outcome};
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>mainstay torture, "
      "seed {}</title>{}"
      "</head><body><h1>mainstay torture: <span "
      "class=\"{}\">{}</span></h1><pre>{}</pre>{}{}{}{}{}</body></html>\n",
      outcome.seed, style, outcome.passed() ? "pass" : "fail", outcome.passed() ? "PASS" : "FAIL",
      escaped(verdict_text(outcome)), fault_rows(outcome, plot), throughput(outcome, plot),
      latency(plot), checks_table(outcome), faults_table(outcome));
}

}  // namespace mainstay::torture
