import { AppError } from "@handrail/protocol/errors";

/**
 * The URL of one path of an API. Slashes at the end of `baseUrl` do not matter; its query stays.
 * @throws AppError `config_invalid` when it is no http or https URL, or holds a user name or password
 */
export function endpoint(baseUrl: string, path: string): string {
  const url = URL.parse(baseUrl);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new AppError("config_invalid", "The model's base URL must begin with http:// or https://.");
  }
  if (url.username !== "" || url.password !== "") {
    throw new AppError("config_invalid", "The model's base URL must not hold a password. Give it as the API key.");
  }
  url.pathname = url.pathname.replace(/\/+$/, "") + path;
  url.hash = "";
  return url.href;
}
