// Appended to a report: takes the theme from the address, where the page around it writes it (light, dark or nothing).
(() => {
  const follow = () => {
    const theme = ["light", "dark"].find((name) => window.location.hash === `#${name}`);
    document.documentElement.style.colorScheme = theme ?? "";
    if (!theme) return;
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) {
        rule.asked ??= rule.media?.mediaText.match(/^\(prefers-color-scheme: (light|dark)\)$/)?.[1];
        if (rule.asked) rule.media.mediaText = rule.asked === theme ? "all" : "not all";
      }
    }
  };
  window.addEventListener("hashchange", follow);
  follow();
})();
