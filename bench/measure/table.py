"""Tables for people: aligned text for a terminal, Markdown for reports."""


def text(header, rows):
    """Columns aligned, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        aligned = [cell.rjust(width) if _is_number(cell) else cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append("  ".join(aligned).rstrip())
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def number(value, digits=0):
    """1234567.8 -> "1 234 568"; None -> "–"."""
    return "–" if value is None else f"{value:,.{digits}f}".replace(",", " ")


def _is_number(cell):
    head = cell.replace(" ", "").lstrip("-")[:1]
    return head.isdigit()
