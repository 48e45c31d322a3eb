import i18next from "i18next";
import { used } from "../used.js";

export default used(async () => {
  const t = await i18next.init({
    lng: "pl",
    fallbackLng: "en",
    resources: {
      en: { translation: { only: "English {{what}}" } },
      pl: { translation: { file_one: "{{count}} plik", file_few: "{{count}} pliki", file_many: "{{count}} plików", price: "{{value, currency(PLN)}}" } },
    },
  });
  return [t("file", { count: 1 }), t("file", { count: 3 }), t("file", { count: 5 }), t("only", { what: "<b>" }), t("price", { value: 12.5 }).replace(/\s/g, " "), i18next.exists("none")];
}, ["1 plik", "3 pliki", "5 plików", "English &lt;b&gt;", "12,50 zł", false]);
