/** A file made on the page, given to the browser as a download. */
export interface SavedFile {
  name: string;
  /** media type */
  type: string;
  text: string;
}

export function saveFile({ name, type, text }: SavedFile): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // the download has its own hold on it once it has begun
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
