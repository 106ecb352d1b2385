/** Functions that run in the page: they see what a person does. @module */
// Without types: what is checked together must not believe in a `document`.

/** Texts whose contrast with what is behind them is too small, in the page. */
export function faintTexts() {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parsed = new Map();
  const parse = (color) => {
    const known = parsed.get(color);
    if (known !== undefined) return known;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    const found = { rgb: [r, g, b], a: a / 255 };
    parsed.set(color, found);
    return found;
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((each) => each / 255).map((each) =>
      each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (top, below) => {
    const raw = top.rgb.map((each) => top.a === 0 ? 0 : each);
    return raw.map((each, at) => each * top.a + below[at] * (1 - top.a));
  };
  const behind = (element) => {
    const chain = [];
    for (let each = element; each !== null; each = each.parentElement) chain.unshift(each);
    return chain.reduce((below, each) => over(parse(getComputedStyle(each).backgroundColor), below), [
      255,
      255,
      255,
    ]);
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text === "" || element.closest("script, :disabled, .unseen, .skip, noscript") !== null) continue;
    if (!element.checkVisibility()) continue;
    const back = behind(element);
    const front = over(parse(getComputedStyle(element).color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) {
      found.add(`${contrast.toFixed(2)} ${element.className || element.tagName}: ${text.slice(0, 30)}`);
    }
  }
  return [...found];
}

/** Things that can be used and have no name for those who do not see them, in the page. */
export function nameless() {
  return [...document.querySelectorAll("a, button, input, select, textarea, [role=dialog], [role=group]")]
    .filter((each) => each.checkVisibility())
    .filter((each) => {
      const label = each.getAttribute("aria-label") ?? each.getAttribute("aria-labelledby") ??
        each.textContent.trim();
      const labels = each.labels?.length ?? 0;
      return label === "" && labels === 0;
    }).map((each) => each.outerHTML.slice(0, 120));
}
