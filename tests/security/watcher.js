// SPDX-License-Identifier: MIT
// Runs in every document before anything of it. Notes in `watched` what ran, and each element and attribute that no
// page of ours has, whenever it enters the document.
(() => {
  const watched = [];
  Object.defineProperty(window, "watched", { value: watched });
  for (const name of ["alert", "confirm", "prompt", "print", "open", "eval"]) {
    window[name] = (...values) => { (window.top.watched ?? watched).push(`ran: ${name}(${values})`); };
  }
  const TAGS = new Set(("html head meta title link script body a header img nav span bdi main article section h1 h2 h3 h4 h5 h6 p time " +
    "code pre div ul ol li form input label textarea button hr br em strong del blockquote table thead tbody tr th td u").split(" "));
  const FOLDS = "details.more, details.more > summary";
  const ATTRIBUTES = new Set(("lang charset name content rel href type src defer class id alt width height tabindex dir hidden action " +
    "method value required autocomplete autocapitalize autofocus spellcheck for rows role title align start disabled checked readonly " +
    "datetime style").split(" "));
  const OWN = location.origin;
  const SCHEMES = new Set(["http:", "https:", "mailto:"]);

  function faultOf(element) {
    const tag = element.localName;
    const isKnown = TAGS.has(tag) || element.matches(FOLDS);
    if (!isKnown || element.namespaceURI !== "http://www.w3.org/1999/xhtml") return "element";
    for (const { name, value } of element.attributes) {
      if (!ATTRIBUTES.has(name) && !/^(aria|data)-[a-z-]+$/.test(name)) return `attribute ${name}`;
      if (name === "style" && !/^height: \d+px;$/.test(value)) return "style";
    }
    if (tag === "a" && element.hasAttribute("href") && !SCHEMES.has(element.protocol)) return `link to ${element.protocol}`;
    if (["script", "img", "link"].includes(tag)) {
      const url = element.src ?? element.href;
      if (!url.startsWith(`${OWN}/assets/`)) return `${tag} from ${url}`;
    }
    if (tag === "script" && element.textContent) return "script of its own";
    if (tag === "form" && new URL(element.getAttribute("action"), location).origin !== OWN) return "form to elsewhere";
    if (tag === "meta" && element.httpEquiv) return "meta http-equiv";
    if (element.id && document.querySelectorAll(`[id="${CSS.escape(element.id)}"]`).length > 1) return `id ${element.id} twice`;
    return null;
  }

  function look(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    const fault = faultOf(node);
    if (fault) watched.push(`${fault}: ${node.outerHTML.slice(0, 120)}`);
    for (const child of node.children) look(child);
  }

  window.lookAt = (root) => { look(root); return watched; };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") {
        const fault = faultOf(change.target);
        if (fault) watched.push(`${fault}: ${change.target.outerHTML.slice(0, 120)}`);
      }
      for (const node of change.addedNodes) look(node);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
})();
