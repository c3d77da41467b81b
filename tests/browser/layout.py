"""What a browser lays out badly: text cut off or hard to read, and pages wider than the window."""

from __future__ import annotations

import time

from playwright.sync_api import Page

PATIENCE_S = 8

# Returns one line for each problem. Shadow roots are entered, since components of the app live in them.
_FIND_PROBLEMS = r"""
() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const known = new Map();
  const rgba = css => {  // any colour that CSS can say, as red, green, blue and alpha from 0 to 1
    if (!known.has(css)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = css;
      context.fillRect(0, 0, 1, 1);
      known.set(css, [...context.getImageData(0, 0, 1, 1).data].map(value => value / 255));
    }
    return known.get(css);
  };
  const parentOf = node => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;
  const lineage = node => {
    const nodes = [];
    for (let one = node; one; one = parentOf(one)) nodes.push(one);
    return nodes;
  };
  const over = (top, share, ground) => top.slice(0, 3).map((value, i) => value * share + ground[i] * (1 - share));
  const luminance = color => color
    .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };

  const problems = [];
  const width = document.documentElement.clientWidth;
  const main = document.querySelector('[data-testid=stMain]');
  for (const box of [document.documentElement, main]) {
    if (box.scrollWidth > box.clientWidth + 1) {
      problems.push(`the page is ${box.scrollWidth} px wide, the window ${box.clientWidth} px`);
    }
  }

  const textRect = node => {
    const range = document.createRange();
    let rect = null;
    for (const child of node.childNodes) {
      if (child.nodeType !== Node.TEXT_NODE || !child.data.trim()) continue;
      range.selectNodeContents(child);
      for (const one of range.getClientRects()) {
        rect = rect
          ? { left: Math.min(rect.left, one.left), right: Math.max(rect.right, one.right),
              top: Math.min(rect.top, one.top), bottom: Math.max(rect.bottom, one.bottom) }
          : one;
      }
    }
    return rect;
  };

  const clipped = (node, rect) => {
    if (node instanceof SVGElement) {
      const svg = lineage(node).findLast(one => one instanceof SVGSVGElement).getBoundingClientRect();
      if (rect.left < svg.left - 1 || rect.right > svg.right + 1) return 'its chart is narrower';
      if (rect.top < svg.top - 1 || rect.bottom > svg.bottom + 1) return 'its chart is lower';
    }
    let scrolls = false;
    for (const box of lineage(node)) {
      const style = getComputedStyle(box);
      if (box instanceof SVGElement || style.display === 'inline' || style.display === 'contents') continue;
      if (style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none') return null;  // cut as intended
      const inner = box.getBoundingClientRect();
      if (style.overflowX !== 'visible' && (rect.left < inner.left - 1 || rect.right > inner.right + 1)) {
        return ['auto', 'scroll'].includes(style.overflowX) ? null : `its box ends at ${Math.round(inner.right)} px`;
      }
      scrolls ||= ['auto', 'scroll'].includes(style.overflowY);
      const cutBelow = !scrolls && style.overflowY !== 'visible';
      if (cutBelow && (rect.top < inner.top - 4 || rect.bottom > inner.bottom + 4)) return 'its box is lower';
      if (style.position === 'fixed') break;
    }
    if (rect.left >= -1 && rect.right <= width + 1) return null;
    return `it reaches from ${Math.round(rect.left)} to ${Math.round(rect.right)} px`;
  };

  const holds = (box, rect) => {
    const x = (rect.left + rect.right) / 2, y = (rect.top + rect.bottom) / 2;
    return box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  };
  const poor = (node, rect) => {
    const style = getComputedStyle(node), isSvg = node instanceof SVGElement;
    const text = rgba(isSvg ? style.fill : style.color);
    const boxes = [];
    let scrolls = false;
    for (const box of lineage(node)) {
      const look = getComputedStyle(box);
      if (look.backgroundImage !== 'none') return null;  // no single colour
      // Text may be placed outside its parent, as the number above a slider's thumb is.
      const behind = scrolls || holds(box.getBoundingClientRect(), rect);
      const back = behind && !(box instanceof SVGElement) ? rgba(look.backgroundColor) : [0, 0, 0, 0];
      boxes.unshift([Number(look.opacity), back]);
      scrolls ||= ['auto', 'scroll'].includes(look.overflowY);
    }
    let ground = [1, 1, 1], opacity = 1;
    for (const [own, back] of boxes) {
      opacity *= own;
      ground = over(back, back[3] * opacity, ground);
    }
    if (isSvg && node.closest('svg').querySelector('.hm')) return null;  // stands on a heat map
    if (node.closest('[data-stale=true]')) return null;  // fades while it is drawn again
    const bar = isSvg && node.closest('.point')?.querySelector('path');
    if (bar && node.matches('.bartext-inside')) ground = over(rgba(getComputedStyle(bar).fill), 1, ground);
    const share = text[3] * opacity * (isSvg ? Number(style.fillOpacity) : 1);
    if (share < 0.1) return null;  // hidden until it is needed
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const isMark = !/[\p{L}\p{N}]/u.test(node.textContent);  // a shape, such as the square before a line's name
    const needed = isMark || size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const found = contrast(over(text, share, ground), ground);
    return found < needed - 0.01 ? `contrast ${found.toFixed(2)} : 1` : null;
  };

  const skipped = '[data-testid=stSkipToContent], [data-testid=stSidebar][aria-expanded=false], :disabled, ' +
    '[data-testid=stIconMaterial], [data-testid=stDataFrame], [data-testid=stStatusWidget], [aria-disabled=true], ' +
    'script, style, title, noscript, option';
  const visit = node => {
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.matches(skipped) || !node.checkVisibility({ visibilityProperty: true })) return;
      const rect = textRect(node);
      // What lies left of the window is out of sight on purpose, such as a closed menu.
      if (rect && rect.right > 0 && rect.right - rect.left > 2 && rect.bottom - rect.top > 2) {
        for (const problem of [clipped(node, rect), poor(node, rect)]) {
          const where = lineage(node).find(one => one.dataset?.testid || one.className?.baseVal || one.className);
          const name = where ? where.dataset?.testid || where.className?.baseVal || where.className : node.localName;
          if (problem) problems.push(`“${node.textContent.trim().slice(0, 40)}” (${name}): ${problem}`);
        }
      }
    }
    if (node.shadowRoot) [...node.shadowRoot.children].forEach(visit);
    [...node.children].forEach(visit);
  };
  visit(document.body);
  return [...new Set(problems)];
}
"""


def layout_problems(page: Page, patience_s: float = PATIENCE_S) -> list[str]:
    """Return what is wrong with a page once it has settled; empty if nothing is.

    A page that was just resized or drawn is looked at again until it is without a fault or the time is over.
    """
    deadline_s = time.monotonic() + patience_s
    while problems := page.evaluate(_FIND_PROBLEMS):
        if time.monotonic() > deadline_s:
            return problems
        page.wait_for_timeout(200)
    return []
