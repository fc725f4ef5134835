"""Labels: the words by which documents name a field, in other languages too, and other words of the same meaning.

A line of MEANINGS has words of one meaning in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish,
Chinese and Japanese; a line that begins with spaces continues the one above. -nummer also ends longer words, as in
Kundennummer, and rechnung- begins them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cache, lru_cache

MEANINGS = """
vendor seller supplier merchant store shop -lieferant -verkäufer -händler -anbieter fournisseur vendeur
  marchand magasin proveedor vendedor tienda fornitore venditore negozio fornecedor loja leverancier verkoper
  winkel dostawca sprzedawca 供应商 卖方 销售方 商家 店铺 供給者 仕入先 販売者 店舗
customer client buyer purchaser -kunde kunden- -käufer acheteur cliente comprador acquirente klant koper
  klient nabywca 客户 顾客 买方 购买方 顧客 購入者 お客様
company firm organization organisation employer business -firma -unternehmen -gesellschaft -arbeitgeber
  société entreprise employeur organisme empresa compañía sociedad empleador organización azienda società
  ditta datore empregador bedrijf werkgever spółka pracodawca 公司 企业 单位 雇主 機構 会社 企業 勤務先
contact kontakt -ansprechpartner -kontaktperson -ansprechpartnerin contacto contatto referente contato
  contactpersoon 联系人 联络人 担当者 連絡先
-name -namen nom nombre nome naam imię nazwa nazwisko 姓名 名称 名字 氏名 名前
-person personne persona pessoa persoon osoba 人员 人物
-patient patientin paciente paziente pacjent 患者 病人
author writer -autor -verfasser auteur autora autore 作者 著者
sender -absender expéditeur remitente mittente remetente afzender nadawca 发件人 寄件人 差出人 送信者
recipient receiver -empfänger destinataire destinatario destinatário ontvanger odbiorca 收件人 收货人 受取人
  宛先
employee staff -mitarbeiter -angestellter employé empleado dipendente funcionário medewerker pracownik 员工
  雇员 従業員 社員
manager supervisor leiter -vorgesetzter responsable jefe gerente responsabile chefe leidinggevende kierownik
  经理 主管 管理者
candidate applicant -bewerber candidat candidato kandidaat kandydat 候选人 申请人 応募者
doctor physician arzt ärztin médecin médico medico arts lekarz 医生 医师 医師
owner -eigentümer -inhaber propriétaire propietario titular proprietario proprietário eigenaar właściciel
  所有者 业主 户主
driver -fahrer chauffeur conductor conducente motorista bestuurder kierowca 司机 驾驶员 運転手
guest gast gäste invité huésped ospite hóspede gość 客人 宾客 ゲスト
tenant -mieter locataire inquilino inquilina huurder najemca 租户 承租人 借主
landlord -vermieter bailleur arrendador locador verhuurder wynajmujący 房东 出租人 貸主
bank banque banco banca 银行 銀行
carrier -spediteur -frachtführer transporteur transportista corriere transportadora vervoerder przewoźnik
  承运人 运输商 運送会社
insurer -versicherer -versicherung assureur aseguradora assicuratore seguradora verzekeraar 保险公司 保険会社
city town -stadt ort wohnort lieferort zielort ville ciudad localidad città cidade stad plaats miasto 城市 都市
place location site venue ort -standort lieu lugar ubicación sede luogo local locatie miejsce lokalizacja 地点
  位置 场所 場所
country land staat pays país paese kraj 国家 国籍
address -adresse -anschrift dirección domicilio indirizzo endereço adres 地址 住址 住所
street -straße rue calle via rua straat ulica 街道 通り
postal postcode zip plz -postleitzahl cap codice 邮编 邮政编码 郵便番号
state province bundesland -region région provincia regione estado provincie województwo
origin -herkunft -startort -abfahrtsort origine origen origem herkomst pochodzenie 出发地 始发站 产地 出発地
destination -ziel -zielort destino destinazione bestemming cel 目的地 到达站
phone telephone tel -telefon -telefonnummer -rufnummer téléphone tél teléfono telefono telefone telefoon 电话
  電話
mobile cell mobil -handy -mobilnummer portable móvil cellulare celular telemóvel mobiel komórka 手机 携帯
-fax -telefax télécopie 传真 ファックス
e-mail -mail -email courriel correo posta 邮箱 电子邮件 邮件 メール
website url homepage webseite internetseite site sitio sito strona 网址 网站 サイト
number no num -nummer -nr numéro número numero numer n° nº № 编号 号码 番号
invoice bill -rechnung rechnung- facture factura fattura fatura factuur faktura 发票 账单 請求書
order -bestellung -auftrag bestell- auftrag- commande pedido ordine encomenda bestelling zamówienie 订单 注文
reference ref -referenz zeichen -aktenzeichen référence réf referencia riferimento referência referentie
  kenmerk 参考 参照
-code -kennzeichen código codice kod 代码 代号 コード
id identifier -kennung identifiant identificador identificativo 编号 识别号
account -konto -kontonummer compte cuenta conto conta rekening 账户 账号 口座
contract agreement -vertrag contrat contrato contratto umowa 合同 契約
ticket fahrkarte billet boleto biglietto bilhete kaartje bilet 票号 チケット
tracking -sendung sendungs- suivi seguimiento tracciamento rastreio 物流 追跡
date -datum fecha data 日期 日付
issued issue ausgestellt -ausstellung ausstellung- émission emisión emissione emissão uitgifte wystawienia
  开具 签发 発行
due -fällig -fälligkeit fällig- zahlbar échéance vencimiento scadenza vencimento vervaldatum termin 到期
  支払期限
delivery delivered -lieferung liefer- livraison entrega consegna levering dostawa 交货 送货 配達 納品
birth born -geburt geburts- geboren naissance nacimiento nascita nascimento geboorte urodzenia 出生 生年月日
start starts begin begins -beginn début inicio inizio início aanvang początek 开始 開始
end ends ende fin fine fim einde koniec 结束 截止 終了
deadline -frist plazo scadenza prazo 截止 期限 締切
expires expiry valid until gültig expire validité caduca validez scade valide 有效期 失效 有効期限
time -uhrzeit -zeit heure hora ora tijd godzina 时间 時間 時刻
departure departs -abfahrt -abflug départ salida partenza partida vertrek odjazd 出发 起飞 出発
arrival arrives -ankunft arrivée llegada arrivo chegada aankomst przyjazd 到达 抵达 到着
day weekday tag -wochentag jour día giorno dia dag dzień 星期 曜日
year -jahr année año anno ano jaar rok 年份 年度
month -monat mois mes mese mês maand miesiąc 月份
duration -dauer -laufzeit durée duración durata duração duur czas 时长 期限 期間
total sum -gesamtbetrag -gesamtsumme -gesamt -summe -endbetrag somme importe totale totaal suma razem 总金额
  总计 合计 总额 合計 総額
subtotal net -zwischensumme -netto -nettobetrag ht subtotale imponibile subtotaal 小计 净额 小計
tax vat mwst ust -steuer -mehrwertsteuer -umsatzsteuer tva taxe iva impuesto imposta imposto btw podatek
  税额 増値税 消費税
amount -betrag montant importe monto importo valor bedrag kwota 金额 数额 金額
price -preis prix precio prezzo preço prijs cena 价格 单价 価格 単価
cost costs fee -kosten -gebühr coût frais coste costo gastos tarifa custo taxa koszt opłata 费用 手续费 料金
discount -rabatt -nachlass -skonto remise descuento sconto desconto korting rabat 折扣 优惠 割引
deposit -kaution -anzahlung caution acompte fianza depósito deposito borg kaucja 押金 定金 敷金
rent -miete -kaltmiete -warmmiete loyer alquiler affitto aluguel renda huur czynsz 租金 家賃
salary wage -gehalt -lohn salaire salario sueldo stipendio salário salaris wynagrodzenie 工资 薪资 給与
balance -saldo -kontostand solde 余额 残高
currency -währung devise monnaie moneda divisa valuta moeda waluta 货币 币种 通貨
payment paid -zahlung zahlungs- bezahlt paiement règlement pago pagamento betaling płatność 付款 支付 支払
quantity qty count -menge -anzahl -stückzahl quantité qté cantidad quantità quantidade aantal hoeveelheid
  ilość 数量 个数
weight -gewicht poids peso waga 重量
height size -größe -höhe taille hauteur altura talla altezza tamanho hoogte wysokość rozmiar 身高 高度 尺寸
  サイズ
length distance -länge -entfernung -strecke longueur longitud distancia lunghezza distanza distância afstand
  odległość 长度 距离 距離
area -fläche -wohnfläche surface superficie área superfície oppervlakte powierzchnia 面积 面積
temperature -temperatur température temperatura temperatuur 温度 気温
age alter âge edad età idade leeftijd wiek 年龄 年齢
rating score -bewertung note puntuación valutazione avaliação beoordeling ocena 评分 分数 評価
color colour -farbe couleur colore cor kleur kolor 颜色
product item article -produkt -artikel ware produit producto artículo prodotto articolo produto artigo towar
  产品 商品 物品 製品 品名
title heading -titel -überschrift titre título titolo tytuł 标题 题目 題名 件名
subject topic -betreff -thema objet sujet asunto tema oggetto assunto onderwerp temat 主题 事由 件名
project -projekt projet proyecto progetto projeto 项目 プロジェクト
event -veranstaltung événement evento evenement wydarzenie 活动 イベント
model -modell typ modèle modelo modello 型号 機種
device -gerät appareil dispositivo apparecchio aparelho apparaat urządzenie 设备 装置
room raum -zimmer salle chambre sala habitación camera stanza quarto kamer pokój 房间 会议室 部屋
floor -etage -stockwerk -geschoss étage planta piso piano verdieping piętro 楼层
flight -flug vol vuelo volo voo vlucht lot 航班 便名
train zug tren treno trem trein pociąg 列车 车次 列車
seat seats sitz -sitzplatz siège asiento posto assento plaats miejsce 座位
job role occupation profession -beruf stelle -position -stellenbezeichnung poste puesto cargo profesión
  mansione ruolo functie beroep stanowisko zawód 职位 职务 岗位 职业 職種 役職
department -abteilung service departamento reparto afdeling dział 部门 科室 部署
state -status -zustand statut estado stato 状态 状況
priority -priorität priorité prioridad priorità prioridade prioriteit priorytet 优先级 優先度
category kind type -kategorie art typ catégorie categoría tipo categoria categorie soort rodzaj 类别 类型 種類
language -sprache langue idioma lingua taal język 语言 言語
nationality -staatsangehörigkeit -nationalität nationalité nacionalidad nazionalità nationaliteit obywatelstwo
  国籍
gender sex -geschlecht sexe sexo sesso geslacht płeć 性别 性別
reason cause grund -ursache raison motif motivo causa reden powód 原因 理由
description -beschreibung -bezeichnung descripción descrizione descrição omschrijving opis 描述 说明 説明
note notes remark comment -bemerkung -hinweis -anmerkung -notiz remarque nota observación observação opmerking
  uwagi 备注 注意 備考
diagnosis -diagnose diagnostic diagnóstico diagnosi diagnoza 诊断 診断
medication -medikament -arznei médicament medicamento farmaco medicijn lek 药物 药品
"""
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PARTED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[\W_]")  # kana, ideographs and signs, which part no words


def words_of(name: str) -> Set[str]:
    """The words of a field's name, in lower case: those of dueDate and due_date are due and date."""
    return {*_WORD.findall(_HUMP.sub(" ", name).casefold()), *_WORD.findall(name.casefold())}


@dataclass(frozen=True)
class Label:
    """What a word of a name looks like in a text in lower case.

    words: whole ones; ends, begins: of longer words; parts: of texts without spaces
    """

    words: Set[str]
    ends: tuple[str, ...]
    begins: tuple[str, ...]
    parts: tuple[str, ...]

    @classmethod
    def of(cls, spellings: Set[str]) -> Label:
        """From words of the table."""
        return cls(
            {one for one in spellings if "-" not in (one[0], one[-1])},
            tuple(one[1:] for one in spellings if one[0] == "-"),
            tuple(one[:-1] for one in spellings if one[-1] == "-"),
            tuple(one for one in spellings if _PARTED.search(one.strip("-"))),
        )

    def stands(self, text: str, words: Set[str]) -> bool:
        """Whether a text with these words has it."""
        return (
            not self.words.isdisjoint(words)
            or any(one.endswith(self.ends) or one.startswith(self.begins) for one in words)
            or any(one in text for one in self.parts)
        )


def named_in(names: Iterable[str], text: str) -> int:
    """How many words of some names a text in lower case has, in any language of the table; numbers name nothing."""
    asked = {word for name in names for word in words_of(name) if not word.isdigit()}
    words = set(_WORD.findall(text))
    return sum(_label(word).stands(text, words) for word in asked)


@lru_cache(maxsize=1024)
def _label(word: str) -> Label:
    return Label.of({word, *_labels().get(word, ())})


@cache
def _labels() -> dict[str, Set[str]]:
    """The labels of each word of the table, by the word without hyphens."""
    found = defaultdict[str, set[str]](set)
    for meaning in meanings():
        for word in meaning:
            found[word.strip("-")].update(meaning)
    return dict(found)


def meanings() -> Iterator[list[str]]:
    """The lines of the table: words with one meaning, in lower case."""
    for line in re.split(r"\n(?! )", MEANINGS.strip()):
        yield line.casefold().split()
