// Follow the theme chosen in Airflow's UI (same origin) and stand on its ground; else the system's theme applies.
(() => {
  const root = document.documentElement;
  const follow = () => {
    try {
      const chosen = window.localStorage.getItem("theme");
      if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
      else delete root.dataset.theme;
      if (window.parent === window) return;
      const outer = window.parent.document;
      const grounds = [outer.body, outer.documentElement].map((part) => window.getComputedStyle(part).backgroundColor);
      const ground = grounds.find((colour) => colour !== "rgba(0, 0, 0, 0)");
      if (ground) root.style.setProperty("--page", ground);
    } catch { /* a sandbox without storage, or a frame of another origin */ }
  };
  // A report is of no origin, so it is told the theme in its address.
  const tell = () => {
    const theme = root.dataset.theme ?? "";
    for (const frame of document.querySelectorAll("iframe[data-src]")) frame.src = `${frame.dataset.src}#${theme}`;
    for (const link of document.querySelectorAll("a[data-report]")) link.hash = theme;
  };
  follow();
  document.addEventListener("DOMContentLoaded", tell);
  window.addEventListener("storage", () => window.setTimeout(() => { follow(); tell(); }, 100));
  // Airflow's frame may open no window and leave no page; its own document may, so it is asked to.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target]");
    if (!link || window.parent === window) return;
    try {
      const outer = window.parent.document.createElement("a");
      Object.assign(outer, { href: link.href, target: link.target, rel: "noopener" });
      outer.click();
      event.preventDefault();
    } catch { /* framed by another origin: the browser decides */ }
  });
})();
