/**
 * Shows an address in a new tab as soon as it is known. Browsers let a tab be opened while a press is handled, and not
 * after a wait, so it is opened first. The page in it does not know this one.
 * @throws Error where the browser opens none; what `find` throws, and then the tab is closed
 */
export async function showInTab(find: () => Promise<{ readonly url: string }>): Promise<void> {
  const tab = window.open("about:blank", "_blank");
  if (tab === null) throw new Error("The browser did not open a tab. Let this page open pop-ups, and try again.");
  tab.opener = null;
  try {
    tab.location.replace((await find()).url);
  } catch (error) {
    tab.close();
    throw error;
  }
}
