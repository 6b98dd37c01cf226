"""CBV 2.0's words, and the spellings in which JSON may carry them."""

from dataclasses import dataclass

BIZ_STEPS = frozenset(
    """accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
    retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping""".split()
)
DISPOSITIONS = frozenset(
    """active available completeness_inferred completeness_verified conformant container_closed container_open
    damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class
    mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other
    partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen
    unavailable unknown""".split()
)
BIZ_TRANSACTION_TYPES = frozenset(
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt".split()
)
SOURCE_DESTINATION_TYPES = frozenset("owning_party possessing_party location".split())
ERROR_REASONS = frozenset("did_not_occur incorrect_data".split())
COMPONENTS = frozenset(
    """x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude
    longitude altitude""".split()
)
SENSOR_EXCEPTIONS = frozenset("ALARM_CONDITION ERROR_CONDITION".split())
MEASUREMENT_TYPES = frozenset(
    """AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area
    Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate
    DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy
    Exposure Force Frequency Illuminance Inductance
    Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity
    MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate
    MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure
    RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed
    SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction
    VolumetricFlux Wavenumber""".split()
)
# Not in CBV 2.0's list, but in documents in circulation: parties that are set CBV-compliant must not use them.
_CIRCULATING = frozenset({"EffectiveDose", "EffectiveDoseRate"})
# GS1's Web vocabularies: what stands before a bare word in the URI and in the CURIE spelling.
_WEB = "https://ref.gs1.org/cbv/"
_MEASUREMENT_PREFIXES = ("gs1:", "https://gs1.org/voc/", "https://ref.gs1.org/voc/")


@dataclass(frozen=True)
class Vocabulary:
    """A list of CBV words, what one of them is called, and the prefixes under which JSON may also spell them.

    `lenient` are those of the words that are not CBV's own.
    """

    name: str
    words: frozenset[str]
    prefixes: tuple[str, ...]
    lenient: frozenset[str] = frozenset()

    def bare(self, term: str) -> str:
        """The bare word of a term in one of the longer spellings; any other term as it is."""
        for prefix in self.prefixes:
            if term.startswith(prefix):
                return term.removeprefix(prefix)
        return term


def _cbv(name: str, words: frozenset[str], web_class: str) -> Vocabulary:
    return Vocabulary(name, words, (f"{_WEB}{web_class}-", f"cbv:{web_class}-"))


BIZ_STEP = _cbv("business step", BIZ_STEPS, "BizStep")
DISPOSITION = _cbv("disposition", DISPOSITIONS, "Disp")
BIZ_TRANSACTION_TYPE = _cbv("business transaction type", BIZ_TRANSACTION_TYPES, "BTT")
SOURCE_DESTINATION_TYPE = _cbv("source or destination type", SOURCE_DESTINATION_TYPES, "SDT")
ERROR_REASON = _cbv("error reason", ERROR_REASONS, "ER")
COMPONENT = _cbv("component", COMPONENTS, "Comp")
MEASUREMENT_TYPE = Vocabulary("measurement type", MEASUREMENT_TYPES | _CIRCULATING, _MEASUREMENT_PREFIXES, _CIRCULATING)
SENSOR_EXCEPTION = Vocabulary("sensor exception", SENSOR_EXCEPTIONS, _MEASUREMENT_PREFIXES)
ACTION = Vocabulary("action", frozenset({"ADD", "OBSERVE", "DELETE"}), ())
# Whatever begins so claims to be a word of the standard; `cbv:my_own_type`, which circulates, does not.
PREFIXES = (_WEB, *(f"cbv:{name}-" for name in ("BizStep", "Disp", "BTT", "SDT", "ER", "Comp")), *_MEASUREMENT_PREFIXES)
_ALL = (BIZ_STEP, DISPOSITION, BIZ_TRANSACTION_TYPE, SOURCE_DESTINATION_TYPE, ERROR_REASON, COMPONENT, MEASUREMENT_TYPE)


def bare(term: str) -> str:
    """The bare word of a CBV term of any vocabulary in a longer spelling; any other term as it is."""
    if ":" in term:
        for vocabulary in _ALL:
            word = vocabulary.bare(term)
            if word in vocabulary.words:
                return word
    return term
