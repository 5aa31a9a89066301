// First in a report: takes the theme from the address, where the page around it writes it (light, dark or nothing).
(() => {
  const query = /^\(prefers-color-scheme: (light|dark)\)$/;
  const asked = () => ["light", "dark"].find((name) => window.location.hash === `#${name}`);
  const told = [];
  const ofSystem = window.matchMedia.bind(window);
  // Evidently asks the system by script; it gets the theme instead, and hears of its changes.
  window.matchMedia = (text) => {
    const system = ofSystem(text), scheme = text.match(query)?.[1];
    if (!scheme) return system;
    const listeners = new Set();
    const answer = {
      media: text,
      get matches() { const theme = asked(); return theme ? theme === scheme : system.matches; },
      addListener: (listener) => listeners.add(listener),
      removeListener: (listener) => listeners.delete(listener),
      addEventListener: (_, listener) => listeners.add(listener),
      removeEventListener: (_, listener) => listeners.delete(listener),
    };
    const tell = () => listeners.forEach((listener) => listener(answer));
    system.addEventListener("change", tell);
    told.push(tell);
    return answer;
  };
  const follow = () => {
    const theme = asked();
    document.documentElement.style.colorScheme = theme ?? "";
    for (const sheet of theme ? document.styleSheets : []) {
      for (const rule of sheet.cssRules) {
        rule.asked ??= rule.media?.mediaText.match(query)?.[1];
        if (rule.asked) rule.media.mediaText = rule.asked === theme ? "all" : "not all";
      }
    }
    told.forEach((tell) => tell());
  };
  window.addEventListener("hashchange", follow);
  document.addEventListener("DOMContentLoaded", follow);
})();
